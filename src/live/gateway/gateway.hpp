// The handlers of the data plane: chat completions are captured and routed, other /v1 paths pass
// through, the rest is 404. Owner: run_gateway(); handle() runs on the I/O threads, capture and
// small models on the pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "adapters/net/http_server.hpp"
#include "adapters/net/upstream.hpp"
#include "base/pool.hpp"
#include "base/secret.hpp"
#include "live/route/router.hpp"
#include "steps/s1_capture/recorder.hpp"

namespace understudy::live {

// What the gateway works with; all of it outlives the gateway.
struct GatewayParts {
  net::Upstream& upstream;
  SecretText upstream_key;  // empty: the client's own
  s1::Recorder& recorder;
  const Router& router;
  Pool& pool;       // small models, parsing of large bodies
  Pool& recording;  // apart, so that a slow model holds up no recording
};

enum class LogState { ok, full_disk, failing };

class Gateway {
 public:
  explicit Gateway(GatewayParts parts) : parts_(std::move(parts)) {}

  net::Async<void> handle(net::Exchange& exchange);

 private:
  net::Async<void> health(net::Exchange& exchange);
  net::Async<void> pass_through(net::Exchange& exchange);
  net::Async<void> chat(net::Exchange& exchange);

  [[nodiscard]] net::Headers upstream_headers(const net::HttpRequest& request) const;
  [[nodiscard]] Call new_call(const net::HttpRequest& request, const json::value& body) const;
  net::Async<void> relay_parts(net::Exchange& exchange);
  // On the recording pool. The connection waits: it reads its next request when this call is in the
  // log's ring, so that a slow disk slows the clients down and no queue grows.
  net::Async<void> record(Call call);

  GatewayParts parts_;
  std::atomic<std::uint64_t> lost_calls_{0};
  std::atomic<LogState> log_state_{LogState::ok};
  std::atomic<std::int64_t> complained_at_us_{0};
};

}  // namespace understudy::live
