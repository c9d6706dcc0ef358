// The console's JSON API: the jobs of console/ by HTTP path, each for the roles that may see its
// answer. The route table in api.cpp is the whole list; docs/reference/console_api.yaml is made
// from it. Knows no network: console_server.hpp brings requests and tokens. Each answer() runs on
// the caller's thread and may read the log. Thread-safe.
//
// Whoever changes something, or looks at content, is in the audit trail first.
#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store/home.hpp"
#include "console/refine_daemon.hpp"
#include "console/web/facts.hpp"
#include "console/web/reply.hpp"
#include "console/web/request_target.hpp"
#include "console/web/visitor.hpp"

namespace understudy::console {

struct ApiRequest {
  std::string method;
  RequestTarget target;
  std::string body;
  Visitor who;
  std::vector<std::string> captured = {};  // what stood in place of {..} in the path
};

struct ApiOptions {
  store::Home home;
  std::string version;
  std::function<json::value()> describe_gateway;  // of its configuration; null where there is none
  RefineDaemon* refine = nullptr;                 // null: it does not run here
};

class ConsoleApi {
 public:
  explicit ConsoleApi(ApiOptions options);

  Reply answer(ApiRequest request);
  // What open pages are told of (Facts::stamps).
  [[nodiscard]] Stamps stamps() const { return facts_.stamps(); }
  // Reads what the pages will ask for.
  void prepare();

  struct Route {
    std::string_view method;
    std::string_view path;  // "/api/tasks/{id}"
    RoleSet roles;          // one of them is enough
    std::string_view summary;
    Reply (ConsoleApi::*run)(const ApiRequest&);
  };
  static std::span<const Route> routes();
  // The API as an OpenAPI 3.1 document in YAML.
  static std::string openapi(std::string_view version);

 private:
  // Reading: api_overview.cpp
  Reply me(const ApiRequest& request);
  Reply overview(const ApiRequest& request);
  // api_tasks.cpp
  Reply tasks(const ApiRequest& request);
  Reply task(const ApiRequest& request);
  Reply candidates(const ApiRequest& request);
  Reply examples(const ApiRequest& request);
  Reply disagreements(const ApiRequest& request);
  // api_models.cpp
  Reply models(const ApiRequest& request);
  Reply loop(const ApiRequest& request);
  // api_routing.cpp, api_settings.cpp
  Reply routing(const ApiRequest& request);
  Reply settings(const ApiRequest& request);
  // Calls: api_calls.cpp
  Reply calls(const ApiRequest& request);
  Reply call(const ApiRequest& request);
  Reply content(const ApiRequest& request);
  // Keys, tokens, the audit trail, and what changes something: api_admin.cpp
  Reply keys(const ApiRequest& request);
  Reply access(const ApiRequest& request);
  Reply add_access_key(const ApiRequest& request);
  Reply add_access_token(const ApiRequest& request);
  Reply end_access(const ApiRequest& request);
  Reply audit(const ApiRequest& request);
  Reply verify_trail(const ApiRequest& request);
  Reply switch_route(const ApiRequest& request);
  Reply turn_loop(const ApiRequest& request);

  ApiOptions options_;
  Facts facts_;
  std::mutex changing_;  // one change at a time
  std::mutex asking_;    // one round of questions to a model at a time
};

}  // namespace understudy::console
