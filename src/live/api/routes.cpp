#include "live/api/routes.hpp"

#include <array>

namespace understudy::live {

namespace {

constexpr std::array feedback_members = {
    BodyMember{"call_id", "string"}, BodyMember{"session_id", "string"},
    BodyMember{"reward", "number"}, BodyMember{"name", "string"}, BodyMember{"comment", "string"}};

constexpr std::array key_members = {
    BodyMember{"name", "string"},
    BodyMember{"tenant", "string"},
    BodyMember{"models", "array"},
    BodyMember{"requests_per_minute", "integer"},
    BodyMember{"tokens_per_minute", "integer"},
    BodyMember{"usd_per_day", "number"},
    BodyMember{"usd_per_month", "number"},
    BodyMember{"budget_usd", "number"},
    BodyMember{"expires_at", "string"},
    BodyMember{"human_facing", "boolean"},
};

constexpr std::array all_of_gateway = {
    GatewayRoute{"GET", "/health", GatewayJob::health,
                 "Alive, the policy's version, the state of the log"},
    GatewayRoute{"POST", "/v1/chat/completions", GatewayJob::call,
                 "OpenAI chat completions, JSON or SSE"},
    GatewayRoute{"POST", "/v1/completions", GatewayJob::call, "OpenAI completions, JSON or SSE"},
    GatewayRoute{"POST", "/v1/responses", GatewayJob::call, "OpenAI responses, JSON or SSE"},
    GatewayRoute{"POST", "/v1/embeddings", GatewayJob::call, "OpenAI embeddings"},
    GatewayRoute{"POST", "/v1/messages", GatewayJob::call, "Anthropic messages, JSON or SSE"},
    GatewayRoute{"GET", "/v1/models", GatewayJob::models,
                 "The configuration's models, or the upstream's list"},
    GatewayRoute{"POST", "/v1/understudy/feedback", GatewayJob::feedback,
                 "What somebody says afterwards of a call or a session", feedback_members},
};

constexpr std::array all_of_admin = {
    AdminRoute{"GET", "/health", std::nullopt, AdminJob::health, "Alive or not, nothing else"},
    AdminRoute{"GET", "/metrics", AccessRole::auditor, AdminJob::metrics,
               "Prometheus' text format"},
    AdminRoute{"GET", "/admin/upstreams", AccessRole::auditor, AdminJob::upstreams,
               "The upstreams and the state of their breakers"},
    AdminRoute{"GET", "/admin/log", AccessRole::auditor, AdminJob::log, "Counters of the call log"},
    AdminRoute{"GET", "/admin/keys", AccessRole::auditor, AdminJob::list_keys,
               "Virtual keys with their limits and what they spent"},
    AdminRoute{"POST", "/admin/keys", AccessRole::admin, AdminJob::issue_key,
               "Issues a virtual key; its secret is shown once", key_members},
    AdminRoute{"DELETE", "/admin/keys/{name}", AccessRole::admin, AdminJob::revoke_key,
               "Revokes a virtual key"},
    AdminRoute{"POST", "/admin/reload", AccessRole::admin, AdminJob::reload,
               "Reads the configuration and the keys anew"},
};

}  // namespace

std::span<const GatewayRoute> gateway_routes() { return all_of_gateway; }

const GatewayRoute* find_gateway_route(std::string_view method, std::string_view path) {
  for (const GatewayRoute& route : all_of_gateway) {
    if (route.path != path) continue;
    // Probes ask for health in many ways.
    if (route.method == method || route.job == GatewayJob::health) return &route;
  }
  return nullptr;
}

std::span<const AdminRoute> admin_routes() { return all_of_admin; }

AdminMatch match(const AdminRoute& route, std::string_view path) {
  const std::size_t brace = route.path.find('{');
  if (brace == std::string_view::npos) {
    return route.path == path ? AdminMatch{.route = &route, .name = {}} : AdminMatch{};
  }
  const bool same = path.size() > brace && path.starts_with(route.path.substr(0, brace));
  return same ? AdminMatch{.route = &route, .name = path.substr(brace)} : AdminMatch{};
}

}  // namespace understudy::live
