// Keys, tokens, the audit trail; and what changes something. A change stands in the trail before it
// happens, with the token's name and the reason that was given.
#include <array>

#include "console/access_jobs.hpp"
#include "console/content_access.hpp"
#include "console/jobs.hpp"
#include "console/key_jobs.hpp"
#include "console/route_jobs.hpp"
#include "console/web/api.hpp"
#include "records/policy.hpp"
#include "steps/s6_refine/promote.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t audit_default = 100;
constexpr std::size_t audit_max = 5000;
constexpr std::size_t reason_bytes_max = 500;

Result<json::value> object_of(const std::string& body,
                              std::initializer_list<std::string_view> known) {
  json::value tree = TRY(json::parse(body));
  if (!tree.is_object()) return fail(ErrorCode::invalid_input, "the body is no JSON object");
  for (const auto& member : tree.get_object()) {
    if (std::ranges::find(known, std::string_view(member.key())) == known.end()) {
      return fail(ErrorCode::invalid_input,
                  "there is no member \"" + std::string(member.key()) + "\" here");
    }
  }
  return tree;
}

template <class Number, class Find>
Result<std::optional<Number>> limit_in(const json::value& body, std::string_view name, Find find) {
  const json::value* there = json::find(body, name);
  if (there == nullptr) return std::optional<Number>();
  const auto number = find(body, name);
  if (!number || *number < 0)
    return fail(ErrorCode::invalid_input, std::string(name) + " wants a number from 0 on");
  return std::optional<Number>(*number);
}

Result<std::string> text_in(const json::value& body, std::string_view name) {
  const json::value* there = json::find(body, name);
  if (there == nullptr) return std::string();
  if (!there->is_string())
    return fail(ErrorCode::invalid_input, std::string(name) + " wants a text");
  return std::string(there->get_string());
}

Result<KeyRequest> key_request(const std::string& body) {
  const json::value tree = TRY(
      object_of(body, {"name", "tenant", "models", "requests_per_minute", "tokens_per_minute",
                       "usd_per_day", "usd_per_month", "budget_usd", "expires", "human_facing"}));
  KeyRequest request;
  request.name = TRY(text_in(tree, "name"));
  request.tenant = TRY(text_in(tree, "tenant"));
  request.expires = TRY(text_in(tree, "expires"));
  request.limits.requests_per_minute =
      TRY(limit_in<std::int64_t>(tree, "requests_per_minute", json::find_integer));
  request.limits.tokens_per_minute =
      TRY(limit_in<std::int64_t>(tree, "tokens_per_minute", json::find_integer));
  request.limits.usd_per_day = TRY(limit_in<double>(tree, "usd_per_day", json::find_number));
  request.limits.usd_per_month = TRY(limit_in<double>(tree, "usd_per_month", json::find_number));
  request.limits.budget_usd = TRY(limit_in<double>(tree, "budget_usd", json::find_number));
  request.human_facing = json::find_bool(tree, "human_facing").value_or(false);
  if (const json::value* models = json::find(tree, "models")) {
    if (!models->is_array() || models->get_array().empty())
      return fail(ErrorCode::invalid_input, "models wants a list of names");
    for (const json::value& model : models->get_array()) {
      if (!model.is_string()) return fail(ErrorCode::invalid_input, "models wants a list of names");
      request.limits.models.emplace_back(model.get_string());
    }
  }
  TRY(check_access_name(request.name));
  return request;
}

// One line, whatever was typed: it goes into the trail.
std::string one_line(std::string text) {
  for (char& byte : text)
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = ' ';
  if (text.size() > reason_bytes_max) text.resize(reason_bytes_max);
  return text;
}

}  // namespace

Reply ConsoleApi::keys(const ApiRequest&) { return reply_of(list_keys(options_.home)); }

Reply ConsoleApi::access(const ApiRequest&) { return reply_of(list_access(options_.home)); }

Reply ConsoleApi::add_access_key(const ApiRequest& request) {
  const auto wanted = key_request(request.body);
  if (!wanted) return failure(wanted.error());
  const std::scoped_lock lock(changing_);
  Reply reply = reply_of(add_key(options_.home, *wanted));
  if (reply.status == 200) reply.status = 201;
  return reply;
}

Reply ConsoleApi::add_access_token(const ApiRequest& request) {
  const auto body = object_of(request.body, {"name", "role", "expires"});
  if (!body) return failure(body.error());
  const TokenRequest wanted{.name = json::string_or(*body, "name"),
                            .role = json::string_or(*body, "role"),
                            .expires = json::string_or(*body, "expires")};
  const std::scoped_lock lock(changing_);
  Reply reply = reply_of(add_token(options_.home, wanted));
  if (reply.status == 200) reply.status = 201;
  return reply;
}

Reply ConsoleApi::end_access(const ApiRequest& request) {
  const std::string& name = request.captured[0];
  if (const Status sound = check_access_name(name); !sound) return failure(sound.error());
  const std::scoped_lock lock(changing_);
  return reply_of(revoke_access(options_.home, name));
}

Reply ConsoleApi::audit(const ApiRequest& request) {
  const auto limit = request.target.count_or("limit", audit_default, audit_max);
  if (!limit) return failure(limit.error());
  return reply_of(show_audit(options_.home, *limit));
}

Reply ConsoleApi::verify_trail(const ApiRequest& request) {
  return reply_of(verify_audit(options_.home, request.target.query_or("noted")));
}

Reply ConsoleApi::switch_route(const ApiRequest& request) {
  const auto body = object_of(request.body, {"mode", "reason", "canary_percent"});
  if (!body) return failure(body.error());
  const std::string mode = json::string_or(*body, "mode");
  const auto known = parse_route_mode(mode);
  if (!known) {
    return failure({.code = ErrorCode::invalid_input,
                    .message = "mode wants off, shadow, canary or active",
                    .hint = {}});
  }
  const std::string reason = one_line(json::string_or(*body, "reason"));
  if (reason.find_first_not_of(' ') == std::string::npos) {
    return failure({.code = ErrorCode::invalid_input,
                    .message = "say why: \"reason\" is missing",
                    .hint = "it stands in the audit trail"});
  }
  const auto share = json::find_number(*body, "canary_percent");
  if (json::find(*body, "canary_percent") != nullptr && !share) {
    return failure({.code = ErrorCode::invalid_input,
                    .message = "canary_percent wants a number of percent",
                    .hint = "of the sessions that the small model answers"});
  }
  const PromoteRequest wanted{.task = request.captured[0],
                              .mode = mode,
                              .canary_percent = share.value_or(PromoteRequest().canary_percent),
                              .audit_percent = PromoteRequest().audit_percent,
                              .draft = {}};
  const bool off = *known == RouteMode::off;
  const std::scoped_lock lock(changing_);
  const Status noted =
      trace_key_change(options_.home, "admin", off ? "rollback" : "promote", "console",
                       "task " + one_line(wanted.task) + " to " +
                           s6::described(*known, wanted.canary_percent / 100) + ", token " +
                           request.who.name + ": " + reason);
  if (!noted) return failure(noted.error());
  return reply_of(off ? rollback(options_.home, RollbackRequest{.task = wanted.task})
                      : promote(options_.home, wanted));
}

Reply ConsoleApi::turn_loop(const ApiRequest& request) {
  const auto body = object_of(request.body, {"reason"});
  if (!body) return failure(body.error());
  const std::string reason = one_line(json::string_or(*body, "reason"));
  if (reason.find_first_not_of(' ') == std::string::npos) {
    return failure({.code = ErrorCode::invalid_input,
                    .message = "say why: \"reason\" is missing",
                    .hint = "it stands in the audit trail"});
  }
  if (options_.refine == nullptr) {
    return failure({.code = ErrorCode::conflict,
                    .message = "the loop does not turn by itself here",
                    .hint = "start the console with --refine, or run `understudy refine`"});
  }
  const std::scoped_lock lock(changing_);
  const Status noted = trace_key_change(options_.home, "admin", "refine", "console",
                                        "token " + request.who.name + ": " + reason);
  if (!noted) return failure(noted.error());
  options_.refine->look_now("asked for: " + reason);
  return reply_of(options_.refine->state());
}

}  // namespace understudy::console
