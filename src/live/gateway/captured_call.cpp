#include "live/gateway/captured_call.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "adapters/wire/chat.hpp"
#include "adapters/wire/chat_view.hpp"
#include "adapters/wire/translate.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "live/access/limit_headers.hpp"
#include "live/gateway/human_facing.hpp"
#include "live/gateway/llm_relay.hpp"
#include "live/gateway/replies.hpp"
#include "live/gateway/small_model_answer.hpp"
#include "steps/s1_capture/pseudonym_cache.hpp"
#include "steps/s1_capture/tool_results.hpp"

namespace understudy::live {

namespace {

constexpr std::int64_t bytes_per_token = 4;  // the usual estimate for English text
constexpr std::chrono::milliseconds memory_wait_step{
    20};                                               // a client that left is noticed meanwhile
constexpr std::int64_t completion_tokens_guess = 256;  // reserved where the request sets no limit

std::string decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

net::Headers decision_headers(const Call& call, std::string_view mode) {
  net::Headers headers;
  headers.add("x-understudy-call", call.id.value);
  headers.add("x-understudy-served-by", to_string(call.route.server));
  headers.add("x-understudy-reason", call.route.reason);
  if (!call.route.task.empty()) headers.add("x-understudy-task", call.route.task);
  if (!mode.empty()) headers.add("x-understudy-mode", mode);
  if (call.route.server == Server::slm) headers.add("x-understudy-model", call.served_model);
  if (call.route.confidence >= 0)
    headers.add("x-understudy-confidence", decimals(call.route.confidence));
  return headers;
}

void add_all(net::Headers& headers, const net::Headers& more) {
  for (const net::Header header : more.items()) headers.set(header.name, header.value);
}

// What the model wrote, without the JSON around it.
std::size_t answer_bytes(wire::Api api, const Call& call) {
  const auto tree = json::parse(call.response.reveal());
  const auto chat = tree ? wire::to_chat_response(api, *tree) : Result<json::value>(json::value());
  const auto answer = chat ? wire::parse_answer(*chat) : Result<Answer>(Answer{});
  if (!answer) return 0;
  std::size_t bytes = answer->text.size();
  for (const ToolCall& tool : answer->tool_calls) bytes += tool.name.size() + tool.arguments.size();
  return bytes;
}

// Usage where the wire had none, or none for an answer that broke off: counted by length, and
// marked so.
void estimate_usage(wire::Api api, std::size_t request_bytes, Call& call) {
  const bool counted = call.usage.prompt_tokens > 0 || call.usage.completion_tokens > 0;
  const bool broke_off = call.finish_reason.empty() && (call.status == CallStatus::cancelled ||
                                                        call.status == CallStatus::truncated);
  if (call.status == CallStatus::failed || call.status == CallStatus::upstream_error) return;
  if (counted && !broke_off) return;
  if (call.usage.prompt_tokens == 0)
    call.usage.prompt_tokens = static_cast<std::int64_t>(request_bytes) / bytes_per_token;
  call.usage.completion_tokens =
      std::max(call.usage.completion_tokens,
               static_cast<std::int64_t>(answer_bytes(api, call)) / bytes_per_token);
  call.usage.estimated = true;
}

}  // namespace

net::Async<void> CapturedCall::run() {
  if (!co_await read_request()) co_return;
  if (const auto refusal = admit()) {
    co_await reply_refusal(exchange_, api_, *refusal, limits_);
    co_return;
  }
  parts_.metrics.request_opened();
  if (scan_.stream) parts_.metrics.stream_opened();
  begin_call();
  if (!parts_.router.has_tasks() || co_await small_model_passes()) co_await answer_by_llm();
  settle();
  measure();
  if (audit_) audit_->call = seed_of_audit(call_);
  if (!recorded_) co_await record();
  if (audit_) start_audit(parts_, std::move(audit_));
}

net::Async<bool> CapturedCall::read_request() {
  if (auto refusal = parts_.access.check(secret_of(header("authorization"), header("x-api-key")))) {
    parts_.metrics.refused(refusal->code);
    co_await reply_refusal(exchange_, api_, *refusal);
    co_return false;
  }
  const Stopwatch watch;
  Result<void> read = co_await exchange_.read_small_body(BodyMemory::small_body_bytes);
  if (read && !exchange_.body_is_whole()) read = co_await read_large_body();
  elsewhere_ns_ += watch.elapsed_ns();
  if (!read) {
    net::Headers headers;
    if (read.error().code == ErrorCode::unavailable) headers.add("Retry-After", "1");
    if (read.error().code != ErrorCode::cancelled) {
      co_await reply_error(exchange_, api_, body_status(read.error()), read.error(),
                           std::move(headers));
    }
    co_return false;
  }
  const std::string& body = exchange_.request().body;
  auto scan = body.size() <= limits::inline_scan_bytes_max
                  ? wire::scan_request(api_, std::string_view(body))
                  : co_await net::on_pool<Result<wire::RequestScan>>(parts_.pool, [this, &body] {
                      return wire::scan_request(api_, std::string_view(body));
                    });
  if (!scan) {
    co_await reply_error(exchange_, api_, 400, scan.error());
    co_return false;
  }
  scan_ = std::move(*scan);
  co_return true;
}

// Waits for memory before it reads on: its client waits with it.
net::Async<Result<void>> CapturedCall::read_large_body() {
  BodyMemory::Share& share = request_memory_.emplace(parts_.body_memory);
  const std::uint64_t bytes = exchange_.content_length().value_or(limits::body_bytes_max);
  const Stopwatch watch;
  while (!share.take_in_turn(bytes)) {
    if (exchange_.client_is_gone())
      co_return fail(ErrorCode::cancelled, "the client went away before its request was read");
    if (watch.elapsed_us() >= parts_.body_memory.wait_max() / std::chrono::microseconds(1)) {
      share.give_up();
      co_return fail(ErrorCode::unavailable, "too many large requests are under way",
                     "try again later");
    }
    co_await net::sleep_for(memory_wait_step);
  }
  Result<void> read = co_await exchange_.read_body();
  share.shrink_to(exchange_.request().body.size());
  co_return read;
}

std::optional<Refusal> CapturedCall::admit() {
  const auto body_tokens =
      static_cast<std::int64_t>(exchange_.request().body.size()) / bytes_per_token;
  AccessDecision decision =
      parts_.access.admit({.secret = secret_of(header("authorization"), header("x-api-key")),
                           .model = scan_.model,
                           .prompt_tokens = body_tokens,
                           .completion_tokens = completion_tokens_guess});
  for (const auto& [name, value] : limit_headers(decision, protocol_of(api_), now()))
    limits_.add(name, value);
  if (decision.refusal) {
    parts_.metrics.refused(decision.refusal->code);
    return std::move(decision.refusal);
  }
  grant_ = std::move(decision.grant);
  return std::nullopt;
}

void CapturedCall::begin_call() {
  const net::HttpRequest& request = exchange_.request();
  call_.id = {make_uuid7()};
  call_.source = "gateway";
  call_.api = std::string(wire::to_string(api_));
  call_.started_at = now();
  call_.requested_model = scan_.model;
  call_.route.reason = parts_.router.is_stopped() && !parts_.router.has_tasks() ? "off" : "no_task";
  call_.human_facing =
      is_human_facing(active_->config.human_facing, {.request = request,
                                                     .key_name = grant_.key_name(),
                                                     .key_is_human_facing = grant_.human_facing(),
                                                     .model = scan_.model});
  if (parts_.recorder == nullptr) return;
  const s1::Pseudonyms& names = parts_.recorder->pseudonyms();
  thread_local s1::PseudonymCache cache;
  const std::string_view tenant =
      grant_.anonymous() ? header("x-understudy-tenant") : grant_.tenant();
  const std::string_view secret = secret_of(header("authorization"), header("x-api-key"));
  call_.origin = {.tenant = cache.of(names, "tenant", tenant),
                  .user = cache.of(names, "user", scan_.user),
                  .key = cache.of(names, "key", secret),
                  .address = cache.of(names, "address", request.peer_address)};
  ticket_ = parts_.sessions.place(scan_, request.body, header("x-understudy-session"), call_);
  call_.tool_results = s1::tool_results(api_, scan_, request.body);
}

// True where the call is the LLM's.
net::Async<bool> CapturedCall::small_model_passes() {
  SmallModelAnswer answer(api_, exchange_.request().body, parts_.router, parts_.pool);
  const Stopwatch watch;
  const bool accepted = co_await answer.ask(call_);
  elsewhere_ns_ += watch.elapsed_ns();
  if (answer.decision_ns() >= 0) parts_.metrics.route_decided(answer.decision_ns());
  if (answer.match() != nullptr) route_mode_ = to_string(answer.match()->task->mode);
  if (answer.wants_shadow()) shadow_ = std::make_unique<Match>(*answer.match());
  if (!accepted) co_return true;
  keep_for_audit(answer);
  call_.first_byte_at = call_.ended_at = now();
  net::Headers headers = decision_headers(call_, route_mode_);
  add_all(headers, limits_);
  headers.set("Content-Type", answer.is_stream() ? "text/event-stream" : "application/json");
  if (answer.is_stream()) headers.set("Cache-Control", "no-cache");
  if (durable() && !co_await record()) {
    co_await reply_error(exchange_, api_, 503, log_is_away());
    co_return false;
  }
  if (!co_await exchange_.send(200, std::move(headers), answer.take_body()))
    call_.status = CallStatus::cancelled;
  call_.ended_at = now();
  co_return false;
}

net::Async<void> CapturedCall::answer_by_llm() {
  const ClientCall client{.http = exchange_.request(),
                          .api = api_,
                          .scan = scan_,
                          .own_credentials = grant_.anonymous()};
  net::Headers extra = decision_headers(call_, route_mode_);
  add_all(extra, limits_);
  LlmRelay relay(
      {.exchange = exchange_,
       .client = client,
       .call = call_,
       .facts = facts_,
       .upstreams = *active_->upstreams,
       .retries = active_->config.retries,
       .budget = parts_.retry_budget,
       .answer_memory = answer_memory_,
       .metrics = parts_.metrics,
       .extra = std::move(extra),
       .before_last_byte =
           durable() ? std::function<net::Async<bool>()>([this] { return record(); }) : nullptr});
  co_await relay.run();
  elsewhere_ns_ += relay.elsewhere_ns();
}

// A sampled accepted call goes to the LLM too, once its client has the answer.
void CapturedCall::keep_for_audit(SmallModelAnswer& answer) {
  if (!parts_.router.audits(*answer.match(), call_.id)) return;
  audit_ = std::make_unique<AuditOrder>(AuditOrder{.active = active_,
                                                   .request = exchange_.request(),
                                                   .api = api_,
                                                   .own_credentials = grant_.anonymous(),
                                                   .match = *answer.match(),
                                                   .small_model = answer.answer(),
                                                   .call = {}});
}

void CapturedCall::compare_in_shadow() {
  const std::unique_ptr<Match> shadow = std::move(shadow_);
  if (call_.status != CallStatus::ok || call_.response.empty()) return;
  Teacher teacher{.api = api_, .response = SecretText(call_.response.reveal())};
  if (shadow->shaped) teacher.request = SecretText(exchange_.request().body);
  parts_.router.compare_in_shadow(std::move(*shadow), std::move(teacher));
}

// Whether the call may be acknowledged: in durable mode, whether it is on the disk.
net::Async<bool> CapturedCall::record() {
  recorded_ = true;
  settle();
  if (shadow_) compare_in_shadow();
  if (parts_.recorder == nullptr) co_return true;
  s1::Recorder& recorder = *parts_.recorder;
  if (!call_.ended_at.known()) call_.ended_at = now();
  if (call_.status == CallStatus::ok && !call_.response.empty()) {
    const std::string& response = call_.response.reveal();
    if (!facts_) facts_ = wire::read_response(api_, response);
    parts_.sessions.answered(
        ticket_, {.words = facts_->mark.words(response),
                  .response_id = api_ == wire::Api::responses ? facts_->id : std::string_view()});
  }
  call_.request = SecretText(exchange_.take_body());
  call_.repeated = std::move(scan_.repeated);
  if (durable()) co_return co_await record_durably();
  while (!recorder.try_record(call_)) {
    if (recorder.options().when_full == WhenFull::drop) break;  // counted by the recorder
    co_await net::from_callback<bool>([&recorder](std::function<void(bool)> resume) {
      recorder.when_room([resume] { resume(true); });
    });
  }
  co_return true;
}

net::Async<bool> CapturedCall::record_durably() {
  s1::Recorder& recorder = *parts_.recorder;
  while (true) {
    using Outcome = std::optional<Status>;  // nothing: the ring is full
    const Outcome outcome = co_await net::from_callback<Outcome>(
        [&recorder, this](std::function<void(Outcome)> resume) {
          if (!recorder.try_record(call_, [resume](Status status) { resume(std::move(status)); }))
            resume(std::nullopt);
        });
    if (outcome) co_return outcome->has_value();
    if (recorder.options().when_full == WhenFull::drop) co_return false;
    co_await net::from_callback<bool>([&recorder](std::function<void(bool)> resume) {
      recorder.when_room([resume] { resume(true); });
    });
  }
}

// Once, before the call is recorded: what it used and cost is part of the record.
void CapturedCall::settle() {
  if (std::exchange(settled_, true)) return;
  estimate_usage(api_, exchange_.request().body.size(), call_);
  const MicroUsd cost =
      parts_.access
          .cost_of(call_.served_model.empty() ? call_.requested_model : call_.served_model,
                   call_.usage)
          .value_or(MicroUsd{});
  if (call_.route.server == Server::llm && cost.value > 0 && !call_.usage.estimated)
    call_.cost_usd = cost.value / 1e6;
  parts_.access.settle(grant_, call_.usage, cost);
}

void CapturedCall::measure() {
  parts_.metrics.request_closed();
  if (scan_.stream) parts_.metrics.stream_closed();
  const std::int64_t now_ns = std::chrono::steady_clock::now().time_since_epoch().count();
  const std::int64_t duration_us = (now_ns - exchange_.arrived_ns()) / 1'000;
  const bool answered = call_.status == CallStatus::ok || call_.status == CallStatus::truncated;
  const NamedUpstream* upstream = nullptr;
  for (const auto& known : active_->upstreams->upstreams()) {
    if (known->config.name == call_.upstream) upstream = known.get();
  }
  const std::string_view provider =
      upstream != nullptr ? to_string(upstream->config.protocol) : std::string_view();
  parts_.metrics.request_ended(
      {.api = call_.api,
       .provider = provider,
       .model = call_.requested_model,
       .status = static_cast<unsigned>(call_.http_status),
       .served_by = call_.route.server == Server::slm ? telemetry::ServedBy::slm
                    : upstream != nullptr && (answered || call_.first_byte_at.known())
                        ? telemetry::ServedBy::llm
                        : telemetry::ServedBy::gateway,
       .own_overhead_us = std::max<std::int64_t>(duration_us - elsewhere_ns_ / 1'000, 0),
       .first_byte_us =
           call_.first_byte_at.known() ? call_.first_byte_at.value - call_.started_at.value : -1,
       .duration_us = duration_us,
       .usage = call_.usage,
       .cost = {call_.cost_usd.value_or(0) * 1e6}});
  if (parts_.spans == nullptr) return;
  const net::Upstream* server = upstream != nullptr ? upstream->connection.get() : nullptr;
  parts_.spans->offer(call_, {.provider = provider,
                              .trace_parent = header("traceparent"),
                              .server_address = server != nullptr ? server->host() : "",
                              .server_port = server != nullptr ? server->port() : std::uint16_t{0},
                              .stream = scan_.stream});
}

std::string_view CapturedCall::header(std::string_view name) const {
  return exchange_.request().headers.find(name).value_or("");
}

bool CapturedCall::durable() const {
  return parts_.recorder != nullptr && parts_.recorder->options().mode == CaptureMode::durable;
}

}  // namespace understudy::live
