// Every path of the gateway and of its admin API: the one list that the dispatchers, and the pages
// docs/reference/gateway_api.yaml and admin_api.yaml, are made from. Pure; knows no handler, so
// that the control plane can print the pages without the data plane.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "records/access.hpp"

namespace understudy::live {

// A member of a request's JSON body.
struct BodyMember {
  std::string_view name;
  std::string_view type;  // JSON Schema's
};

enum class GatewayJob {
  call,      // of a model: recorded and routed; wire::api_of_path says which API
  feedback,  // on a call or a session
  models,    // that a client may ask for
  health,
};

struct GatewayRoute {
  std::string_view method;
  std::string_view path;
  GatewayJob job;
  std::string_view summary;
  std::span<const BodyMember> body = {};
};

std::span<const GatewayRoute> gateway_routes();
// Null: another path below /v1/ is passed on to the upstream, anything else is 404.
const GatewayRoute* find_gateway_route(std::string_view method, std::string_view path);

enum class AdminJob { health, metrics, upstreams, log, list_keys, issue_key, revoke_key, reload };

struct AdminRoute {
  std::string_view method;
  std::string_view path;            // {name} stands for one segment, at the end
  std::optional<AccessRole> least;  // or admin; nothing: anybody
  AdminJob job;
  std::string_view summary;
  std::span<const BodyMember> body = {};
};

std::span<const AdminRoute> admin_routes();

struct AdminMatch {
  const AdminRoute* route = nullptr;  // null: the path is another one
  std::string_view name;              // what stands for {name}
};
AdminMatch match(const AdminRoute& route, std::string_view path);

}  // namespace understudy::live
