#include "live/gateway/gateway.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <cstdio>

#include "adapters/wire/chat.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "live/gateway/relay.hpp"

namespace understudy::live {

namespace {

constexpr std::int64_t complaint_interval_us = 1'000'000;
constexpr std::int64_t bytes_per_token = 4;  // the usual estimate for English text

net::Headers json_headers() {
  net::Headers headers;
  headers.add("Content-Type", "application/json");
  return headers;
}

// A path that climbs would leave the API that the upstream's URL names.
bool climbs(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    std::string segment(path.substr(0, slash));
    for (std::size_t at = 0; (at = segment.find('%', at)) != std::string::npos; ++at) {
      std::string_view code = std::string_view(segment).substr(at + 1, 2);
      if (net::same_name(code, "2e"))
        segment.replace(at, 3, ".");
      else if (net::same_name(code, "2f") || net::same_name(code, "5c"))
        return true;
    }
    if (segment == "." || segment == ".." || segment.contains('\\')) return true;
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return false;
}

std::string_view describe(LogState state) {
  switch (state) {
    case LogState::ok: return "ok";
    case LogState::full_disk: return "full disk";
    case LogState::failing: return "failing; see the gateway's own log";
  }
  return "failing";
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// Usage where the wire had none: counted by length, and marked so.
void estimate_usage(Call& call) {
  if (call.usage.prompt_tokens > 0 || call.response.empty()) return;
  call.usage = {
      .prompt_tokens = static_cast<std::int64_t>(call.request.reveal().size()) / bytes_per_token,
      .completion_tokens =
          static_cast<std::int64_t>(call.response.reveal().size()) / bytes_per_token,
      .estimated = true};
}

std::string decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

net::Headers decision_headers(const Call& call) {
  net::Headers headers;
  headers.add("x-understudy-call", call.id.value);
  headers.add("x-understudy-served-by", std::string(to_string(call.route.server)));
  headers.add("x-understudy-reason", call.route.reason);
  if (!call.route.task.empty()) headers.add("x-understudy-task", call.route.task);
  if (call.route.server == Server::slm) headers.add("x-understudy-model", call.served_model);
  if (call.route.confidence >= 0)
    headers.add("x-understudy-confidence", decimals(call.route.confidence));
  return headers;
}

// Fills the call and gives the body that goes to the client.
std::string render_slm_answer(const SlmAnswer& answer, const TaskPolicy& task,
                              const wire::ChatRequest& request, Call& call) {
  const lm::Prediction& prediction = answer.prediction;
  call.served_model = std::string(to_string(task.kind)) + "-" + task.artifact.value.substr(0, 8);
  call.usage = {.prompt_tokens = prediction.prompt_tokens,
                .completion_tokens = prediction.completion_tokens};
  const wire::CompletionMeta meta{.id = "chatcmpl-" + call.id.value,
                                  .model = call.served_model,
                                  .created_s = call.started_at.value / 1'000'000,
                                  .usage = call.usage,
                                  .include_usage = request.include_usage};
  const std::string whole = json::to_text(wire::to_chat_completion(prediction.answer, meta));
  call.response = SecretText(whole);
  call.finish_reason = prediction.answer.tool_calls.empty() ? "stop" : "tool_calls";
  return request.stream ? wire::to_chat_stream(prediction.answer, meta) : whole;
}

}  // namespace

net::Async<void> Gateway::handle(net::Exchange& exchange) {
  const std::string_view path = path_of(exchange.request().target);
  if (path == "/health") {
    co_await health(exchange);
  } else if (path == "/v1/chat/completions" && exchange.request().method == "POST") {
    co_await chat(exchange);
  } else if (path.starts_with("/v1/") && !climbs(path)) {
    co_await pass_through(exchange);
  } else {
    co_await exchange.send(
        404, json_headers(),
        wire::error_body("no such path: " + std::string(path) + "; the API begins with /v1",
                         "invalid_request_error", "not_found"));
  }
}

net::Async<void> Gateway::health(net::Exchange& exchange) {
  const std::uint64_t lost = lost_calls_;
  const json::object body{{"status", "ok"},
                          {"policy_version", parts_.router.policy_version()},
                          {"log", describe(log_state_)},
                          {"calls_recorded", parts_.recorder.committed()},
                          {"calls_lost", lost}};
  co_await exchange.send(200, json_headers(), json::to_text(body));
}

net::Async<void> Gateway::pass_through(net::Exchange& exchange) {
  using namespace boost::asio::experimental::awaitable_operators;
  // The client going away cancels the upstream here, too.
  const auto first = co_await (relay_parts(exchange) || exchange.client_gone());
  if (first.index() == 1) exchange.abort();
}

net::Async<void> Gateway::relay_parts(net::Exchange& exchange) try {
  auto answer =
      co_await parts_.upstream.send(exchange.request().method, exchange.request().target,
                                    upstream_headers(exchange.request()), exchange.request().body);
  if (!answer) {
    co_await exchange.send(answer.error().code == ErrorCode::timeout ? 504 : 502, json_headers(),
                           wire::error_body(answer.error().message + "; " + answer.error().hint,
                                            "upstream_error", to_string(answer.error().code)));
    co_return;
  }
  bool open =
      co_await exchange.begin((*answer)->status(), client_headers((*answer)->headers(), {}));
  while (open) {
    auto part = co_await (*answer)->read();
    if (!part) {
      exchange.abort();
      co_return;
    }
    if (part->empty()) break;
    open = co_await exchange.write(std::move(*part));
  }
  if (open) co_await exchange.finish();
} catch (const boost::system::system_error& error) {
  if (error.code() != boost::asio::error::operation_aborted)
    log::warn(std::string("a relay failed: ") + error.what());
}

net::Async<void> Gateway::chat(net::Exchange& exchange) {
  const net::HttpRequest& http = exchange.request();
  Result<json::value> body = json::value();
  if (http.body.size() <= limits::inline_parse_bytes_max) {
    body = json::parse(http.body);
  } else {
    body = co_await net::on_pool<Result<json::value>>(parts_.pool,
                                                      [&http] { return json::parse(http.body); });
  }
  const auto request =
      body ? wire::parse_chat_request(*body) : Result<wire::ChatRequest>(fail(body.error()));
  if (!request) {
    const Error& error = request.error();
    co_await exchange.send(
        400, json_headers(),
        wire::error_body(error.message, "invalid_request_error", "invalid_body"));
    co_return;
  }
  Call call = new_call(http, *body);
  call.requested_model = request->model;
  call.route.reason = "no_task";
  if (const auto match = parts_.router.match(*request)) {
    if (request->beyond_slm.empty()) {
      const SlmAnswer answer =
          co_await net::on_pool<SlmAnswer>(parts_.pool, [this, match, tools = request->tool_names] {
            return parts_.router.answer(*match, tools);
          });
      call.route = answer.decision;
      if (answer.decision.server == Server::slm) {
        std::string rendered = render_slm_answer(answer, *match->task, *request, call);
        call.first_byte_at = now();
        net::Headers headers = decision_headers(call);
        headers.set("Content-Type", request->stream ? "text/event-stream" : "application/json");
        if (request->stream) headers.set("Cache-Control", "no-cache");
        if (!co_await exchange.send(200, std::move(headers), std::move(rendered)))
          call.status = CallStatus::cancelled;
        call.ended_at = now();
        co_await record(std::move(call));
        co_return;
      }
    } else {
      call.route.task = match->task->task.value;
      call.route.reason = "slm_unsupported";
    }
  }
  Relay relay(exchange, parts_.upstream, call, decision_headers(call));
  co_await relay.run(upstream_headers(http));
  estimate_usage(call);
  co_await record(std::move(call));
}

net::Headers Gateway::upstream_headers(const net::HttpRequest& request) const {
  net::Headers headers;
  for (const net::Header& header : request.headers.items()) {
    // Ours stay here; compressed answers could not be captured.
    if (net::has_prefix(header.name, "x-understudy-") ||
        net::same_name(header.name, "accept-encoding"))
      continue;
    headers.add(header.name, header.value);
  }
  if (!parts_.upstream_key.empty())
    headers.set("Authorization", "Bearer " + parts_.upstream_key.reveal());
  return headers;
}

Call Gateway::new_call(const net::HttpRequest& request, const json::value& body) const {
  const auto header = [&request](std::string_view name) {
    return std::string(request.headers.find(name).value_or(""));
  };
  const s1::Recorder& recorder = parts_.recorder;
  Call call;
  call.id = {make_uuid7()};
  call.source = "gateway";
  call.started_at = now();
  const std::string session = header("x-understudy-session");
  call.session = session.empty() ? recorder.infer_session(body) : SessionId{session};
  call.origin = {.tenant = recorder.pseudonym("tenant", header("x-understudy-tenant")),
                 .user = recorder.pseudonym("user", json::string_or(body, "user")),
                 .key = recorder.pseudonym("key", header("authorization")),
                 .address = recorder.pseudonym("address", request.peer_address)};
  call.human_facing = header("x-understudy-human") == "1";
  call.request = SecretText(request.body);
  return call;
}

net::Async<void> Gateway::record(Call call) {
  const Status status = co_await net::on_pool<Status>(
      parts_.recording, [this, &call] { return parts_.recorder.record(std::move(call)); });
  if (status) {
    log_state_ = LogState::ok;
    co_return;
  }
  log_state_ =
      status.error().code == ErrorCode::exhausted ? LogState::full_disk : LogState::failing;
  ++lost_calls_;
  const std::int64_t time_us = now().value;
  std::int64_t before_us = complained_at_us_;
  if (time_us - before_us > complaint_interval_us &&
      complained_at_us_.compare_exchange_strong(before_us, time_us)) {
    log::error("calls are served but not recorded (" + std::to_string(lost_calls_) +
               " so far): " + status.error().to_text());
  }
}

}  // namespace understudy::live
