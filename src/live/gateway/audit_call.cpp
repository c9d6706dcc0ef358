#include "live/gateway/audit_call.hpp"

#include <atomic>
#include <utility>

#include "base/clock.hpp"
#include "live/gateway/attempt.hpp"
#include "live/gateway/replies.hpp"
#include "live/upstreams/attempt_plan.hpp"

namespace understudy::live {

namespace {

// The same request, answered whole. Nothing where the body cannot be said so.
bool make_whole(net::HttpRequest& request) {
  auto tree = json::parse(request.body);
  if (!tree || !tree->is_object()) return false;
  if (json::find_bool(*tree, "stream").value_or(false)) {
    tree->as_object().erase("stream");
    tree->as_object().erase("stream_options");
    request.body = json::to_text(*tree);
  }
  return true;
}

// The upstream's answer in the client's API.
Result<std::string> answer_of(Attempt& attempt, wire::Api api) {
  if (attempt.status() >= 400 || !attempt.ended() || attempt.events() != nullptr)
    return fail(ErrorCode::unavailable, "no whole answer");
  if (attempt.api() == api) return std::move(attempt.held());
  return wire::translate_response(attempt.api(), api, attempt.held(), attempt.answer());
}

constexpr std::size_t audit_calls_max = 16;  // at the LLM at once; more are not audited

// Counts the audits under way, also when one is torn down with its I/O loop.
class Seat {
 public:
  explicit Seat(std::shared_ptr<std::atomic<std::size_t>> count)
      : count_(std::move(count)), taken_(count_->fetch_add(1) < audit_calls_max) {}
  ~Seat() { --*count_; }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  std::shared_ptr<std::atomic<std::size_t>> count_;  // shared: audits outlive the gateway
  bool taken_;
};

void record(const GatewayParts& parts, AuditOrder& order, std::string response) {
  Call& call = order.call;
  call.ended_at = now();
  call.request = SecretText(std::move(order.request.body));
  call.response = SecretText(std::move(response));
  const MicroUsd cost =
      parts.access
          .cost_of(call.served_model.empty() ? call.requested_model : call.served_model, call.usage)
          .value_or(MicroUsd{});
  if (cost.value > 0) call.cost_usd = cost.value / 1e6;
  if (parts.recorder != nullptr) parts.recorder->try_record(call);  // a full ring drops it
}

net::Async<void> audit(const GatewayParts& parts, std::shared_ptr<AuditOrder> order) {
  const Seat seat(parts.audits);
  if (!seat.taken() || !make_whole(order->request)) co_return;
  const auto scan = wire::scan_request(order->api, std::string_view(order->request.body));
  if (!scan) co_return;
  const RetryConfig once{.attempts_max = 1};
  AttemptPlan plan(order->active->upstreams->targets(scan->model, protocol_of(order->api)), once,
                   parts.retry_budget);
  NextAttempt next = plan.next(Breaker::Clock::now(), 0);
  if (next.kind != NextAttempt::Kind::go) co_return;
  const ClientCall client{.http = order->request,
                          .api = order->api,
                          .scan = *scan,
                          .own_credentials = order->own_credentials};
  Attempt attempt(*next.target, std::move(*next.permit));
  order->call.upstream = next.target->upstream->config.name;
  order->call.started_at = now();
  const Status opened = co_await attempt.open(client);
  if (!opened || blames_upstream(attempt.fault())) attempt.failed();
  if (!opened) co_return;
  attempt.succeeded();
  order->call.first_byte_at = now();
  wire::ResponseFacts facts = attempt.facts();
  auto response = answer_of(attempt, order->api);
  if (!response) co_return;
  order->call.served_model = std::move(facts.served_model);
  order->call.finish_reason = std::move(facts.finish_reason);
  order->call.usage = facts.usage.value_or(Usage{});
  Teacher teacher{.api = order->api,
                  .response = SecretText(*response),
                  .request = SecretText(order->request.body)};
  record(parts, *order, std::move(*response));
  // Shared: a std::function must be copyable, and a secret is not.
  auto kept = std::make_shared<Teacher>(std::move(teacher));
  parts.pool.submit([&router = parts.router, order, kept] {
    router.audited(order->match, order->small_model, *kept);
  });
}

}  // namespace

Call seed_of_audit(const Call& audited) {
  Call call;
  call.id = {make_uuid7()};
  call.session = audited.session;
  call.parent = audited.parent;
  call.step = audited.step;
  call.source = audited.source;
  call.api = audited.api;
  call.requested_model = audited.requested_model;
  call.route = {.server = Server::llm,
                .task = audited.route.task,
                .artifact = audited.route.artifact,
                .reason = "audit"};
  call.origin = audited.origin;
  call.human_facing = audited.human_facing;
  call.training_allowed = audited.training_allowed;
  return call;
}

void start_audit(const GatewayParts& parts, std::unique_ptr<AuditOrder> order) {
  net::start_detached(audit(parts, std::shared_ptr<AuditOrder>(std::move(order))));
}

}  // namespace understudy::live
