#include "console/web/api.hpp"

#include <array>
#include <optional>
#include <thread>
#include <utility>

namespace understudy::console {

namespace {

constexpr RoleSet reads_metadata = {AccessRole::auditor, AccessRole::curator};
constexpr RoleSet reads_content = {AccessRole::curator};
constexpr RoleSet sees_keys = {AccessRole::auditor, AccessRole::admin};
constexpr RoleSet changes = {AccessRole::admin};

// What the {..} of a pattern stand for; nothing where the path is another one.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& path) {
  std::vector<std::string> captured;
  std::size_t at = 0;
  pattern.remove_prefix(1);
  while (!pattern.empty()) {
    const std::string_view part = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
    if (at == path.size()) return std::nullopt;
    if (part.starts_with('{')) {
      captured.push_back(path[at]);
    } else if (part != path[at]) {
      return std::nullopt;
    }
    ++at;
  }
  if (at != path.size()) return std::nullopt;
  return captured;
}

std::string names_of(RoleSet roles) {
  std::string out;
  for (const std::string_view name : roles.names())
    out += (out.empty() ? "" : " or ") + std::string(name);
  return out;
}

}  // namespace

ConsoleApi::ConsoleApi(ApiOptions options) : options_(std::move(options)), facts_(options_.home) {}

std::span<const ConsoleApi::Route> ConsoleApi::routes() {
  using Api = ConsoleApi;
  static constexpr std::array<Route, 23> all = {{
      {"GET", "/api/me", any_role, "Whose token this is, and its roles", &Api::me},
      {"GET", "/api/overview", any_role, "Calls, tokens, spend and savings over time",
       &Api::overview},
      {"GET", "/api/tasks", any_role, "The tasks that were found, with their place on the map",
       &Api::tasks},
      {"GET", "/api/tasks/{id}", any_role, "One task with its models, evidence and traffic",
       &Api::task},
      {"GET", "/api/tasks/{id}/candidates", any_role, "Models that could take the task, ranked",
       &Api::candidates},
      {"GET", "/api/tasks/{id}/examples", reads_content, "Curated examples of the task",
       &Api::examples},
      {"GET", "/api/tasks/{id}/disagreements", reads_content,
       "Where the model and the LLM disagree on the calls that set its threshold",
       &Api::disagreements},
      {"GET", "/api/models", any_role, "Trained models, their lineage and training curves",
       &Api::models},
      {"GET", "/api/routing", any_role, "The policy in force, its history, and recent decisions",
       &Api::routing},
      {"POST", "/api/routing/{id}", changes, "Gives a task to its model, or back to the LLM",
       &Api::switch_route},
      {"GET", "/api/loop", any_role, "The turns of the loop so far, and whether it turns by itself",
       &Api::loop},
      {"POST", "/api/loop", changes, "Looks at once whether a turn of the loop is due",
       &Api::turn_loop},
      {"GET", "/api/calls", reads_metadata, "Recorded calls without their content", &Api::calls},
      {"GET", "/api/calls/{id}", reads_metadata, "One call without its content", &Api::call},
      {"GET", "/api/calls/{id}/content", reads_content, "What one call asked and what came back",
       &Api::content},
      {"GET", "/api/keys", sees_keys, "The roles' keys that are here, and the tenants' count",
       &Api::keys},
      {"GET", "/api/access", sees_keys, "Virtual keys and role tokens", &Api::access},
      {"POST", "/api/access/keys", changes, "Issues a virtual key; its secret is shown once",
       &Api::add_access_key},
      {"POST", "/api/access/tokens", changes, "Issues a role token; it is shown once",
       &Api::add_access_token},
      {"DELETE", "/api/access/{name}", changes, "Revokes a virtual key or a role token",
       &Api::end_access},
      {"GET", "/api/audit", sees_keys, "The newest lines of the audit trail", &Api::audit},
      {"GET", "/api/audit/verification", sees_keys, "Whether the audit trail is whole",
       &Api::verify_trail},
      {"GET", "/api/settings", any_role, "This home, this machine, the gateway's configuration",
       &Api::settings},
  }};
  return all;
}

void ConsoleApi::prepare() {
  const std::jthread report([this] { (void)facts_.report(); });  // each reads the log for itself
  (void)facts_.log();
}

Reply ConsoleApi::answer(ApiRequest request) {
  std::string allow;
  for (const Route& route : routes()) {
    auto captured = match(route.path, request.target.path);
    if (!captured) continue;
    if (route.method != request.method) {
      allow += (allow.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    if (!route.roles.shares_one_with(request.who.roles)) {
      return refusal(403, {.code = ErrorCode::denied,
                           .message = "this takes the role " + names_of(route.roles),
                           .hint = "`understudy access token --role ...` issues a token"});
    }
    request.captured = std::move(*captured);
    return (this->*route.run)(request);
  }
  if (!allow.empty()) {
    Reply reply = refusal(
        405, {.code = ErrorCode::invalid_input, .message = "not with this method", .hint = {}});
    reply.allow = std::move(allow);
    return reply;
  }
  return failure({.code = ErrorCode::not_found, .message = "no such path", .hint = {}});
}

}  // namespace understudy::console
