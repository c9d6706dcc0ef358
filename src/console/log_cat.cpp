// `log cat`: recorded calls as JSON lines, their tool calls joined with what came back.
#include <deque>
#include <set>
#include <unordered_map>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"
#include "base/clock.hpp"
#include "console/content_access.hpp"
#include "console/log_jobs.hpp"
#include "console/tool_calls.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t waiting_max = 4096;  // calls whose tool results have not come yet

// JSON where it is JSON, else the text as it is.
json::value shown(const SecretText& text) {
  if (text.empty()) return nullptr;
  auto parsed = json::parse(text.reveal());
  return parsed ? std::move(*parsed) : json::value(text.reveal());
}

std::string detail_of(const CatRequest& request) {
  std::string detail;
  const auto add = [&detail](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    detail += (detail.empty() ? "" : " ") + std::string(name) + "=" + value;
  };
  add("call", request.call);
  add("session", request.session);
  add("tenant", request.tenant);
  if (request.since.known()) add("since", to_iso8601(request.since));
  if (request.limit > 0) add("limit", std::to_string(request.limit));
  return detail;
}

std::unexpected<Error> not_in_log(const std::string& call) {
  return fail(ErrorCode::not_found, "no call " + call + " is in the log");
}

bool matches(const CatRequest& request, const Call& call) {
  return (request.call.empty() || call.id.value == request.call) &&
         (request.session.empty() || call.session.value == request.session) &&
         (request.tenant.empty() || call.origin.tenant == request.tenant) &&
         (!request.since.known() || call.started_at >= request.since);
}

// Prints calls; holds a call with tool calls back until its session goes on.
class Printer {
 public:
  Printer(const CatRequest& request, const std::function<void(std::string_view)>& print)
      : request_(request), print_(print) {}

  void take(Call& call) {
    const bool with_content =
        request_.form == CatForm::content && call.content == ContentState::whole;
    json::value request;
    // Reading a request as JSON costs more than opening it: only where somebody wants it.
    const bool wanted = matches(request_, call) && !is_done();
    if (with_content && (wanted || is_waited_for(call.session.value))) {
      request = shown(call.request);
      bring_results(call.session.value, request);
    }
    if (!wanted) return;
    ++taken_;
    call.request = {};
    Waiting one{.session = call.session.value, .line = to_json(call).as_object(), .tools = {}};
    for (const char* text : {"request", "response"}) one.line.erase(text);
    one.line["started"] = to_iso8601(call.started_at);
    one.line["content"] = to_string(call.content);
    one.line["request_bytes"] = call.content_bytes.request;
    one.line["response_bytes"] = call.content_bytes.response;
    if (with_content) {
      json::value response = shown(call.response);
      one.tools = tool_calls_in(response);
      one.line["request"] = std::move(request);
      one.line["response"] = std::move(response);
    }
    if (one.tools.empty()) return put(one, {});
    waiting_.push_back(std::move(one));
    if (waiting_.size() > waiting_max) put_front();
  }

  void end() {
    while (!waiting_.empty()) put_front();
  }
  [[nodiscard]] bool is_done() const { return request_.limit > 0 && taken_ >= request_.limit; }
  [[nodiscard]] bool is_settled() const { return is_done() && waiting_.empty(); }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  struct Waiting {
    std::string session;
    json::object line;
    std::vector<ToolCallSeen> tools;
  };

  [[nodiscard]] bool is_waited_for(const std::string& session) const {
    return std::ranges::any_of(waiting_, [&](const Waiting& w) { return w.session == session; });
  }

  // The session went on with this request: what it says about earlier tool calls.
  void bring_results(const std::string& session, const json::value& request) {
    if (!is_waited_for(session)) return;
    const auto results = tool_results_in(request);
    std::erase_if(waiting_, [&](Waiting& one) {
      const bool answered =
          one.session == session && std::ranges::any_of(one.tools, [&](const ToolCallSeen& tool) {
            return results.contains(tool.id);
          });
      if (answered) put(one, results);
      return answered;
    });
  }

  void put(Waiting& one, const std::map<std::string, json::value>& results) {
    json::array tools;
    for (ToolCallSeen& tool : one.tools) {
      const auto result = results.find(tool.id);
      tools.push_back(
          json::object{{"id", tool.id},
                       {"name", tool.name},
                       {"arguments", std::move(tool.arguments)},
                       {"result", result != results.end() ? result->second : json::value()}});
    }
    if (!tools.empty()) one.line["tool_calls"] = std::move(tools);
    print_(json::to_text(one.line));
  }

  void put_front() {
    Waiting one = std::move(waiting_.front());
    waiting_.pop_front();
    put(one, {});
  }

  const CatRequest& request_;
  const std::function<void(std::string_view)>& print_;
  std::deque<Waiting> waiting_;
  std::uint64_t taken_ = 0;
};

// Metadata of the whole log says where the call is; only what belongs to it is opened then.
Status cat_one(const Home& home, const CatRequest& request,
               const std::function<void(std::string_view line)>& print) {
  const auto key = TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
  store::LogIndex index;
  KnownCall known{.call = request.call, .places = {}, .reward = {}};
  std::string session;
  const auto visit = [&](const Call& call) -> Status {
    const bool is_it = known.places.empty() && matches(request, call);
    if (is_it) {
      session = call.session.value;
      known.reward = call.reward;
    }
    const bool goes_on = !session.empty() && call.session.value == session;
    if (is_it || (goes_on && known.places.size() < session_calls_max))
      known.places.push_back(index.calls() - 1);
    return {};
  };
  const auto report =
      TRY(store::read_call_log(home, key, visit, {.open_content = false, .index = &index}));
  if (!known.places.empty()) print(TRY(cat_call(home, index, known)));
  if (!report.corrupt.empty()) return fail(report.corrupt.front());
  if (known.places.empty()) return not_in_log(request.call);
  return {};
}

}  // namespace

Result<std::string> cat_call(const Home& home, const store::LogIndex& index,
                             const KnownCall& known) {
  CatRequest request;
  request.call = known.call;
  request.limit = 1;
  const auto key = TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
  const auto access =
      TRY(ContentAccess::begin(home, crypto::Role::curator, "log cat", detail_of(request)));
  std::string line;
  const std::function<void(std::string_view)> keep = [&line](std::string_view text) {
    line = text;
  };
  Printer printer(request, keep);
  for (const std::size_t place : known.places) {
    Call call = TRY(store::open_call(home, key, index, place));
    if (call.id.value == known.call) call.reward = known.reward;
    printer.take(call);
    if (printer.is_settled()) break;
  }
  printer.end();
  TRY(access.end(printer.taken()));
  if (line.empty()) return not_in_log(known.call);
  return line;
}

Status cat_log(const Home& home, const CatRequest& request,
               const std::function<void(std::string_view line)>& print) {
  if (!request.call.empty() && request.form == CatForm::content) {
    return cat_one(home, request, print);
  }
  const bool with_content = request.form == CatForm::content;
  const auto role = with_content ? crypto::Role::curator : crypto::Role::auditor;
  const auto key = TRY(crypto::load_secret_key(home.keys(), role));
  std::optional<ContentAccess> access;
  if (with_content) access = TRY(ContentAccess::begin(home, role, "log cat", detail_of(request)));
  Printer printer(request, print);
  const Error enough{.code = ErrorCode::cancelled, .message = "enough", .hint = {}};
  const auto visit = [&](Call call) -> Status {
    printer.take(call);
    if (printer.is_settled()) return fail(enough);
    return {};
  };
  const auto report = store::read_call_log(home, key, visit, {.open_content = with_content});
  if (!report && !printer.is_settled()) return fail(report.error());
  printer.end();
  if (access) TRY(access->end(printer.taken()));
  if (report && !report->corrupt.empty()) return fail(report->corrupt.front());
  if (printer.taken() == 0 && !request.call.empty()) return not_in_log(request.call);
  return {};
}

}  // namespace understudy::console
