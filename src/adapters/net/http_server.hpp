// An HTTP/1.1 server, plain or TLS: a few I/O threads, a coroutine per connection, keep-alive,
// named limits and deadlines. The handler runs as soon as a request's head is there and answers
// through an Exchange; a handler that answers nothing gets a 500. Owner: whoever runs it. run()
// blocks until stop() (thread-safe) and then drains open exchanges.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/net/async.hpp"
#include "adapters/net/http.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace understudy::net {

// One request being answered. Lives on its connection's I/O thread and ends with its handler.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Its body is empty until read_body().
  [[nodiscard]] virtual const HttpRequest& request() const = 0;
  // Steady clock, when the head was complete.
  [[nodiscard]] virtual std::int64_t arrived_ns() const = 0;
  // Of the request's body; nothing where it comes in chunks.
  [[nodiscard]] virtual std::optional<std::uint64_t> content_length() const = 0;

  // The whole body into request().body. exhausted: larger than limits::body_bytes_max (answer 413);
  // cancelled: the client is gone; timeout: it stalled; invalid_input: bad framing (answer 400).
  virtual Async<Result<void>> read_body() = 0;
  // The same, but as much as is large is left unread: a body that comes to more than `bytes` waits,
  // not whole, for read_body().
  virtual Async<Result<void>> read_small_body(std::size_t bytes) = 0;
  [[nodiscard]] virtual bool body_is_whole() const = 0;
  // What read_body() read; request().body is empty afterwards.
  virtual std::string take_body() = 0;
  // The next bytes of the body instead, as they come; empty at its end. The same errors.
  virtual Async<Result<std::string>> read_body_part() = 0;

  // Called at most once, on this thread and within 50 ms, when the client has closed its side or is
  // gone while the exchange is open. {} clears it; so does the end of the exchange. It must not end
  // the exchange itself: cancel what the handler waits for.
  virtual void on_client_gone(std::function<void()> callback) = 0;
  [[nodiscard]] virtual bool client_is_gone() const = 0;

  // A whole answer. false: the client is gone. Content-Length, Transfer-Encoding and Connection are
  // the server's: what `headers` says of them is left out.
  virtual Async<bool> send(unsigned status, Headers headers, std::string body) = 0;

  // An answer in parts, each flushed at once; chunked where no length is given. The head waits for
  // the first write() (an empty one will do) or finish(), to go out together with it.
  virtual Async<bool> begin(unsigned status, Headers headers,
                            std::optional<std::uint64_t> content_length = {}) = 0;
  virtual Async<bool> write(std::string_view part) = 0;  // the view must live until it returns
  virtual Async<bool> finish() = 0;
  virtual void abort() = 0;  // resets the connection: the client sees an error, never a clean end
};

struct TlsFiles {
  std::string certificate;  // PEM, the chain, leaf first; both empty: no TLS
  std::string key;          // PEM
};

struct ServerDeadlines {
  std::chrono::milliseconds keep_alive = std::chrono::seconds(limits::keep_alive_timeout_s);
  std::chrono::milliseconds head = std::chrono::seconds(limits::head_timeout_s);
  std::chrono::milliseconds idle = std::chrono::seconds(limits::idle_timeout_s);
  std::chrono::milliseconds drain = std::chrono::seconds(limits::drain_timeout_s);
};

struct HttpServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;   // 0: any free one
  std::size_t threads = 1;  // 0: one on each processor that this process may use, and bound to it
  TlsFiles tls = {};
  ServerDeadlines deadlines = {};
};

class HttpServer {
 public:
  using Handler = std::function<Async<void>(Exchange&)>;

  // Opens the port: conflict with a remedy when it is taken. Reads the TLS files.
  static Result<std::unique_ptr<HttpServer>> create(const HttpServerOptions& options,
                                                    Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;
  void run();
  void stop();             // accepts no more, closes idle connections, lets open exchanges finish
  void stop_on_signals();  // SIGINT and SIGTERM drain and end run()
  // Before run(): calls back on an I/O thread at each such signal (SIGHUP).
  void on_signal(int signal, std::function<void()> callback);
  // Before run(): starts work on the first I/O thread when run() begins; it ends with run().
  void start_with(std::function<Async<void>()> work);
  // Thread-safe: new connections use what the TLS files hold now.
  Result<void> reload_certificates();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::net
