// One client's connection: its requests one after the other, each answered by the server's handler.
// A coroutine per connection runs serve(); while a handler works, one outstanding wait for
// readability doubles as the notice that the client is gone and as the wait for the next request.
// Internal to adapters/net.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/net/http_server.hpp"
#include "adapters/net/message_parser.hpp"
#include "adapters/net/socket_stream.hpp"

namespace understudy::net {

// What the connections of a server have in common.
struct ServerContext {
  HttpServer::Handler handler;
  ServerDeadlines deadlines;
  std::atomic<bool> stopping{false};
};

class ServerConnection final : public Exchange, private StreamObserver {
 public:
  // tls: null for a plain connection.
  ServerConnection(ServerContext& context, IoLoop& loop, int descriptor, const TlsContext* tls);
  ~ServerConnection() override = default;

  Async<void> serve();
  void stop_if_idle();  // the server drains

  const HttpRequest& request() const override { return request_; }
  std::int64_t arrived_ns() const override { return arrived_ns_; }
  std::optional<std::uint64_t> content_length() const override { return parser_.content_length(); }
  Async<Result<void>> read_body() override { return read_small_body(limits::body_bytes_max); }
  Async<Result<void>> read_small_body(std::size_t bytes) override;
  bool body_is_whole() const override { return body_done_; }
  std::string take_body() override { return std::exchange(request_.body, {}); }
  Async<Result<std::string>> read_body_part() override;
  void on_client_gone(std::function<void()> callback) override;
  bool client_is_gone() const override { return client_gone_; }
  Async<bool> send(unsigned status, Headers headers, std::string body) override;
  Async<bool> begin(unsigned status, Headers headers,
                    std::optional<std::uint64_t> content_length) override;
  Async<bool> write(std::string_view part) override;
  Async<bool> finish() override;
  void abort() override;

 private:
  enum class Phase { idle, head, open, begun, answered, cut };
  enum class Next { request, end };

  Async<bool> handshake();
  Async<Next> next_request();
  void open_exchange();
  Async<void> answer();
  Async<void> refuse(unsigned status, std::string_view message);
  Async<bool> skip_unread_body();
  Async<void> linger();

  Result<void> body_allowed() const;
  Async<Result<void>> say_continue();
  Async<Result<void>> more_body(std::string& into);
  void take_body_from_unread(std::string& into);
  std::unexpected<Error> body_failed(IoStatus status);
  [[nodiscard]] std::chrono::nanoseconds patience(std::int64_t waited_ns,
                                                  std::uint64_t bytes) const;

  void start_head(unsigned status, const Headers& headers);
  void end_head();
  Async<bool> flush(Outgoing bytes);
  bool lost();  // the client, for good: false

  void on_readable() override;
  void on_hang_up() override;
  [[nodiscard]] bool exchange_is_open() const {
    return phase_ == Phase::open || phase_ == Phase::begun || phase_ == Phase::answered;
  }

  ServerContext& context_;
  SocketStream stream_;
  RequestParser parser_;
  HttpRequest request_;
  std::string taken_;  // bytes of the body that came with the head
  std::string head_;   // of the answer, until it was written
  std::function<void()> when_gone_;
  std::int64_t arrived_ns_ = 0;
  std::uint64_t body_left_ = 0;  // of the request, where its length is known
  std::uint64_t body_bytes_ = 0;
  std::int64_t body_waited_ns_ = 0;
  std::uint64_t answer_left_ = 0;
  Phase phase_ = Phase::idle;
  bool in_chunks_ = false;  // the request's body
  bool body_bad_ = false;
  bool body_done_ = true;
  bool continue_owed_ = false;
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool answer_in_chunks_ = false;
  bool answer_has_length_ = false;
  bool client_gone_ = false;
};

}  // namespace understudy::net
