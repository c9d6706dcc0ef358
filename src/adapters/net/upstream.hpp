// The client side of the gateway: one configured base URL (http or https), a pool of keep-alive
// connections per I/O thread, answers read as they come. Deadlines: limits::connect_timeout_s,
// first_byte_timeout_s, idle_timeout_s. TLS verifies the host against the system's certificates.
// Its idle connections belong to the I/O loops that made them: it must end before the HttpServer.
#pragma once

#include <memory>
#include <string>

#include "adapters/net/async.hpp"
#include "adapters/net/http.hpp"
#include "base/result.hpp"

namespace understudy::net {

// One answer on its way. Destroying it before the end closes the upstream connection: that is how a
// call is cancelled.
class UpstreamAnswer {
 public:
  virtual ~UpstreamAnswer() = default;
  [[nodiscard]] virtual unsigned status() const = 0;
  [[nodiscard]] virtual const Headers& headers() const = 0;
  // The next bytes of the body; empty at its clean end. An error means that the answer was cut or
  // stalled.
  virtual Async<Result<std::string>> read() = 0;
};

class Upstream {
 public:
  // base_url: "https://host[:port][/prefix]"; a trailing "/v1" is understood.
  static Result<std::unique_ptr<Upstream>> create(const std::string& base_url);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  [[nodiscard]] const std::string& url() const;
  // `path` as the client asked for it ("/v1/chat/completions?x"). unavailable or timeout name the
  // URL.
  Async<Result<std::unique_ptr<UpstreamAnswer>>> send(std::string method, std::string path,
                                                      Headers headers, std::string body);

 private:
  struct State;
  explicit Upstream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::net
