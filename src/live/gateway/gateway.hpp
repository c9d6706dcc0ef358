// The handlers of the data plane: calls of the model APIs are captured and routed, other /v1 paths
// pass through, the rest is 404. Owner: run_gateway(); handle() runs on the I/O threads, small
// models and large bodies on the pool. The configuration may be replaced while calls are under way:
// each keeps the one that it began with.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/net/http_server.hpp"
#include "adapters/telemetry/metrics.hpp"
#include "adapters/telemetry/spans.hpp"
#include "base/pool.hpp"
#include "base/read_mostly.hpp"
#include "live/access/access.hpp"
#include "live/config/gateway_config.hpp"
#include "live/gateway/body_memory.hpp"
#include "live/route/router.hpp"
#include "live/upstreams/retry.hpp"
#include "live/upstreams/upstream_set.hpp"
#include "steps/s1_capture/recorder.hpp"
#include "steps/s1_capture/session_tracker.hpp"

namespace understudy::live {

// One configuration in force; immutable.
struct ActiveConfig {
  GatewayConfig config;
  std::unique_ptr<UpstreamSet> upstreams;
};

// What the gateway works with; all of it outlives the gateway.
struct GatewayParts {
  s1::Recorder* recorder;  // null: capture is off
  s1::SessionTracker& sessions;
  Router& router;
  Access& access;
  telemetry::Metrics& metrics;
  telemetry::Spans* spans;  // null: nobody collects them
  Pool& pool;               // small models, large bodies
  RetryBudget& retry_budget;
  BodyMemory& body_memory;
  // Under way; shared: those that the end of the gateway tears down still count themselves out.
  std::shared_ptr<std::atomic<std::size_t>> audits = std::make_shared<std::atomic<std::size_t>>(0);
};

class Gateway {
 public:
  Gateway(GatewayParts parts, std::shared_ptr<const ActiveConfig> active);

  net::Async<void> handle(net::Exchange& exchange);

  // Thread-safe. The upstreams of the old one live until the gateway ends: their idle connections
  // belong to its I/O threads.
  void replace(std::shared_ptr<const ActiveConfig> active);
  [[nodiscard]] std::shared_ptr<const ActiveConfig> active() const { return active_.load(); }

 private:
  net::Async<void> health(net::Exchange& exchange);
  net::Async<void> relay_other(net::Exchange& exchange, std::string_view path);
  net::Async<void> models(net::Exchange& exchange, std::string_view path);
  net::Async<void> take_feedback(net::Exchange& exchange);

  GatewayParts parts_;
  Snapshot<ActiveConfig> active_;  // calls hold on to the one that they began with
};

}  // namespace understudy::live
