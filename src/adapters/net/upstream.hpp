// The client side of the gateway: one configured base URL (http or https), a pool of keep-alive
// connections per I/O thread, and single attempts of calls over it, every wait under a deadline.
// TLS verifies the host; proxies come from http_proxy, https_proxy and no_proxy. An Upstream must
// outlive its calls, may end on any thread, and knows nothing of retries or of what it carries.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adapters/net/async.hpp"
#include "adapters/net/http.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace understudy::net {

struct Deadlines {
  std::chrono::milliseconds connect = std::chrono::seconds(limits::connect_timeout_s);
  std::chrono::milliseconds first_byte = std::chrono::seconds(limits::first_byte_timeout_s);
  std::chrono::milliseconds idle = std::chrono::seconds(limits::idle_timeout_s);
  std::chrono::milliseconds total{0};  // 0: none
};

struct UpstreamOptions {
  std::string ca_file = {};  // PEM; empty: the system's certificates
  bool use_environment_proxy = true;
};

struct UpstreamState;

class Upstream {
 public:
  // base_url: "https://host[:port][/prefix]"; a trailing "/v1" is understood.
  static Result<std::unique_ptr<Upstream>> create(const std::string& base_url,
                                                  const UpstreamOptions& options = {});
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  [[nodiscard]] const std::string& url() const;
  [[nodiscard]] const std::string& host() const;  // of the URL, also where a proxy is in between
  [[nodiscard]] std::uint16_t port() const;

 private:
  friend class UpstreamCall;
  explicit Upstream(std::unique_ptr<UpstreamState> state);
  std::unique_ptr<UpstreamState> state_;
};

// ONE attempt. Made and used on one I/O thread; destroying it before the answer's end closes the
// connection. Errors: unavailable (cannot connect, reset, cut, no HTTP), timeout, cancelled; they
// name the upstream's URL and never content. A pooled connection that the upstream had closed is
// replaced once, unseen, as long as no byte of an answer came.
class UpstreamCall {
 public:
  UpstreamCall(Upstream& upstream, const Deadlines& deadlines);
  ~UpstreamCall();
  UpstreamCall(const UpstreamCall&) = delete;
  UpstreamCall& operator=(const UpstreamCall&) = delete;

  // `path` as the client asked for it ("/v1/chat/completions?x"). The parts of the body go out in
  // one writev, unjoined, with their sum as Content-Length. Returns when the answer's head is
  // there, even if the upstream answered before it had the whole body. The views must live until
  // then. Headers of one hop, Host, Expect and Content-Length in `headers` are left out.
  Async<Result<void>> send(std::string_view method, std::string_view path, const Headers& headers,
                           std::span<const std::string_view> body);

  // The same with a body that is streamed, on a fresh connection; chunked where no length is given.
  Async<Result<void>> begin_send(std::string_view method, std::string_view path,
                                 const Headers& headers,
                                 std::optional<std::uint64_t> content_length);
  Async<Result<void>> write_body(std::string_view part);
  Async<Result<void>> finish_send();  // returns when the answer's head is there

  [[nodiscard]] unsigned status() const;
  [[nodiscard]] const Headers& headers() const;  // of the answer
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;

  // The next bytes of the answer's body, empty at its clean end. unavailable: cut; timeout: stalled
  // for Deadlines::idle, or past Deadlines::total.
  Async<Result<std::string>> read();
  // The clean end was reached: another read() would return empty at once.
  [[nodiscard]] bool finished() const;

  // From the same thread: the pending await, and each later one, returns ErrorCode::cancelled. The
  // connection is closed at once.
  void cancel();

 private:
  class Attempt;
  std::unique_ptr<Attempt> attempt_;
};

}  // namespace understudy::net
