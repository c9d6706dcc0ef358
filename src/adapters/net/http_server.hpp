// An HTTP/1.1 server: one I/O thread per core, a coroutine per connection, keep-alive, named limits
// and deadlines. The handler answers each request through an Exchange; a handler that answers
// nothing gets a 500. Owner: whoever runs it. run() blocks until stop() (thread-safe) and then
// drains open exchanges.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/net/async.hpp"
#include "adapters/net/http.hpp"
#include "base/result.hpp"

namespace understudy::net {

// One request being answered. Lives on its connection's I/O thread.
class Exchange {
 public:
  virtual ~Exchange() = default;
  [[nodiscard]] virtual const HttpRequest& request() const = 0;

  // A whole answer. false: the client is gone.
  virtual Async<bool> send(unsigned status, Headers headers, std::string body) = 0;

  // An answer in parts, chunked on the wire; each part is flushed at once.
  virtual Async<bool> begin(unsigned status, Headers headers) = 0;
  virtual Async<bool> write(std::string part) = 0;
  virtual Async<bool> finish() = 0;
  virtual void abort() = 0;  // cuts the connection: the client sees an error, never a clean end

  // Returns when the client has closed its side. Run it beside the work, and cancel the work when
  // it returns.
  virtual Async<void> client_gone() = 0;
};

struct HttpServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  std::size_t threads = 1;
};

class HttpServer {
 public:
  using Handler = std::function<Async<void>(Exchange&)>;

  // Opens the port: conflict with a remedy when it is taken.
  static Result<std::unique_ptr<HttpServer>> create(const HttpServerOptions& options,
                                                    Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  void run();
  void stop();
  void stop_on_signals();  // SIGINT and SIGTERM drain and end run()

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::net
