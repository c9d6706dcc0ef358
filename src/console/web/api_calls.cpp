// Recorded calls: lists and single ones without content, and one call's content.
#include <algorithm>
#include <optional>

#include "base/clock.hpp"
#include "console/log_jobs.hpp"
#include "console/web/api.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t page_calls_default = 50;
constexpr std::size_t page_calls_max = 500;

json::object shown(const Call& call) {
  json::object tree = to_json(call).as_object();
  for (const char* content : {"request", "response"}) tree.erase(content);
  tree["started"] = to_iso8601(call.started_at);
  tree["latency_ms"] = static_cast<double>(call.latency_us()) / 1e3;
  tree["content"] = to_string(call.content);
  tree["request_bytes"] = call.content_bytes.request;
  tree["response_bytes"] = call.content_bytes.response;
  return tree;
}

// What a list asks for; empty conditions hold for every call.
struct Wanted {
  std::string text;  // in an id, a model, a tenant, an error
  std::string session;
  std::string task;
  std::string server;
  std::string status;

  [[nodiscard]] bool takes(const Call& call) const {
    return (session.empty() || call.session.value == session) &&
           (task.empty() || call.route.task == task) &&
           (server.empty() || to_string(call.route.server) == server) &&
           (status.empty() || (status == "failed" ? call.status != CallStatus::ok
                                                  : to_string(call.status) == status)) &&
           (text.empty() || has_text(call));
  }

 private:
  [[nodiscard]] bool has_text(const Call& call) const {
    return std::ranges::any_of(
        std::initializer_list<const std::string*>{
            &call.id.value, &call.session.value, &call.requested_model, &call.served_model,
            &call.origin.tenant, &call.route.task, &call.route.reason, &call.error, &call.api},
        [this](const std::string* field) { return field->find(text) != std::string::npos; });
  }
};

const Call* find_call(const LogFacts& log, const std::string& id) {
  const auto found = std::ranges::find(log.calls, CallId{id}, &Call::id);
  return found != log.calls.end() ? &*found : nullptr;
}

KnownCall known_call(const LogFacts& log, const Call& call) {
  KnownCall known{.call = call.id.value, .places = {log.place_of(call)}, .reward = call.reward};
  const Call* const end = log.calls.data() + log.calls.size();
  for (const Call* later = &call + 1; later < end; ++later) {
    if (call.session.empty() || known.places.size() == session_calls_max) break;
    if (later->session == call.session) known.places.push_back(log.place_of(*later));
  }
  return known;
}

}  // namespace

Reply ConsoleApi::calls(const ApiRequest& request) {
  const auto limit = request.target.count_or("limit", page_calls_default, page_calls_max);
  if (!limit) return failure(limit.error());
  const auto log = facts_.log();
  if (!log) return failure(log.error());
  const Wanted wanted{.text = request.target.query_or("q"),
                      .session = request.target.query_or("session"),
                      .task = request.target.query_or("task"),
                      .server = request.target.query_or("server"),
                      .status = request.target.query_or("status")};
  const std::string before = request.target.query_or("before");  // a call's id: go on behind it
  bool begun = before.empty();
  json::array found;
  bool more = false;
  for (auto call = (*log)->calls.rbegin(); call != (*log)->calls.rend(); ++call) {
    if (!begun) {
      begun = call->id.value == before;
      continue;
    }
    if (!wanted.takes(*call)) continue;
    if (found.size() == *limit) {
      more = true;
      break;
    }
    found.push_back(shown(*call));
  }
  return reply_of(json::object{{"calls", std::move(found)},
                               {"more", more},
                               {"searched", (*log)->calls.size()},
                               {"recorded", (*log)->calls_all}});
}

Reply ConsoleApi::call(const ApiRequest& request) {
  const auto log = facts_.log();
  if (!log) return failure(log.error());
  if (const Call* call = find_call(**log, request.captured[0])) return reply_of(shown(*call));
  return failure({.code = ErrorCode::not_found,
                  .message = "no call " + request.captured[0] + " is among the newest ones",
                  .hint = "`understudy log cat --call ID` looks through the whole log"});
}

Reply ConsoleApi::content(const ApiRequest& request) {
  const auto log = facts_.log();
  const Call* call = log ? find_call(**log, request.captured[0]) : nullptr;
  if (call != nullptr) {
    auto line = cat_call(options_.home, (*log)->index, known_call(**log, *call));
    if (!line) return failure(line.error());
    return {.body = std::move(*line)};
  }
  CatRequest wanted;
  wanted.call = request.captured[0];
  wanted.limit = 1;
  std::string line;
  const Status read =
      cat_log(options_.home, wanted, [&line](std::string_view text) { line = text; });
  if (line.empty() && !read) return failure(read.error());
  return {.body = std::move(line)};
}

}  // namespace understudy::console
