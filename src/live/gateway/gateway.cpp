#include "live/gateway/gateway.hpp"

#include <cstdio>

#include "adapters/wire/chat.hpp"
#include "base/clock.hpp"
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
std::string render_slm_answer(const SlmAnswer& answer, const wire::ChatRequest& request,
                              Call& call) {
  const lm::Prediction& prediction = answer.prediction;
  call.served_model = answer.decision.artifact;
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
  } else if (path.starts_with("/v1/")) {
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
  const json::object body{
      {"status", "ok"},
      {"policy_version", parts_.router.policy_version()},
      {"log", lost == 0 ? "ok" : "calls are not recorded; see the gateway's own log"},
      {"calls_recorded", parts_.recorder.committed()},
      {"calls_lost", lost}};
  co_await exchange.send(200, json_headers(), json::to_text(body));
}

net::Async<void> Gateway::pass_through(net::Exchange& exchange) {
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
}

net::Async<void> Gateway::chat(net::Exchange& exchange) {
  const net::HttpRequest& http = exchange.request();
  const auto body = json::parse(http.body);
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
        std::string rendered = render_slm_answer(answer, *request, call);
        call.first_byte_at = now();
        net::Headers headers = decision_headers(call);
        headers.set("Content-Type", request->stream ? "text/event-stream" : "application/json");
        if (request->stream) headers.set("Cache-Control", "no-cache");
        if (!co_await exchange.send(200, std::move(headers), std::move(rendered)))
          call.status = CallStatus::cancelled;
        call.ended_at = now();
        record(std::move(call));
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
  record(std::move(call));
}

net::Headers Gateway::upstream_headers(const net::HttpRequest& request) const {
  net::Headers headers;
  for (const net::Header& header : request.headers.items()) {
    // Ours stay here; compressed answers could not be captured.
    if (header.name.starts_with("x-understudy-") || net::same_name(header.name, "accept-encoding"))
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

void Gateway::record(Call call) {
  // shared: std::function must be copyable
  auto kept = std::make_shared<Call>(std::move(call));
  parts_.pool.submit([this, kept] {
    const Status status = parts_.recorder.record(std::move(*kept));
    if (status) return;
    ++lost_calls_;
    const std::int64_t time_us = now().value;
    std::int64_t before_us = complained_at_us_;
    if (time_us - before_us > complaint_interval_us &&
        complained_at_us_.compare_exchange_strong(before_us, time_us)) {
      log::error("calls are served but not recorded (" + std::to_string(lost_calls_) +
                 " so far): " + status.error().to_text());
    }
  });
}

}  // namespace understudy::live
