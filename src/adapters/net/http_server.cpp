#include "adapters/net/http_server.hpp"

#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <thread>
#include <vector>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace understudy::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

using Parser = http::request_parser<http::string_body>;

class Connection final : public Exchange {
 public:
  explicit Connection(tcp::socket socket) : stream_(std::move(socket)) {
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    const auto peer = stream_.socket().remote_endpoint(ignored);
    if (!ignored) peer_ = peer.address().to_string();
  }

  // Reads the next request; false at the end of the connection. A bad one is answered here.
  Async<bool> next_request() {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits::header_bytes_max));
    parser.body_limit(limits::body_bytes_max);
    answered_ = begun_ = aborted_ = false;
    stream_.expires_after(std::chrono::seconds(limits::keep_alive_timeout_s));
    auto [header_error, header_bytes] =
        co_await http::async_read_header(stream_, buffer_, parser, as_result);
    if (header_error) {
      if (header_error == http::error::body_limit)
        co_await refuse(413, "the request's body is larger than " +
                                 std::to_string(limits::body_bytes_max) + " bytes");
      else if (header_error == http::error::header_limit)
        co_await refuse(431, "the request's header is too large");
      else if (header_error.category() ==
                   http::make_error_code(http::error::bad_method).category() &&
               header_error != http::error::end_of_stream) {
        co_await refuse(400, "this is no HTTP/1.1 request");
      }
      co_return false;
    }
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      http::response<http::empty_body> go_on{http::status::continue_, parser.get().version()};
      stream_.expires_after(std::chrono::seconds(limits::idle_timeout_s));
      auto [error, bytes] = co_await http::async_write(stream_, go_on, as_result);
      if (error) co_return false;
    }
    stream_.expires_after(std::chrono::seconds(limits::idle_timeout_s));
    auto [error, bytes] = co_await http::async_read(stream_, buffer_, parser, as_result);
    if (error == http::error::body_limit) {
      co_await refuse(413, "the request's body is larger than " +
                               std::to_string(limits::body_bytes_max) + " bytes");
    } else if (error) {
      co_await refuse(400, "the request's body ended early");
    }
    if (error) co_return false;
    keep_alive_ = parser.get().keep_alive();
    head_only_ = parser.get().method() == http::verb::head;
    version_ = parser.get().version();
    request_ = {};
    request_.peer_address = peer_;
    request_.method = std::string(parser.get().method_string());
    request_.target = std::string(parser.get().target());
    for (const auto& field : parser.get())
      request_.headers.add(std::string(field.name_string()), std::string(field.value()));
    request_.body = std::move(parser.get().body());
    stream_.expires_never();
    co_return true;
  }

  [[nodiscard]] bool reusable() const { return answered_ && keep_alive_ && !aborted_; }
  [[nodiscard]] bool answered() const { return answered_ || begun_ || aborted_; }
  void close_after_answer() { keep_alive_ = false; }
  void shutdown() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  const HttpRequest& request() const override { return request_; }

  Async<bool> send(unsigned status, Headers headers, std::string body) override {
    http::response<http::string_body> response;
    fill(response, status, headers);
    if (head_only_) {
      response.content_length(body.size());
    } else {
      response.body() = std::move(body);
      response.prepare_payload();
    }
    stream_.expires_after(std::chrono::seconds(limits::idle_timeout_s));
    auto [error, bytes] = co_await http::async_write(stream_, response, as_result);
    stream_.expires_never();
    answered_ = true;
    if (error) aborted_ = true;
    co_return !error;
  }

  Async<bool> begin(unsigned status, Headers headers) override {
    http::response<http::empty_body> response;
    bodiless_ = head_only_ || status == 204 || status == 304;
    // HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
    chunked_ = !bodiless_ && version_ >= 11;
    if (!bodiless_ && !chunked_) keep_alive_ = false;
    fill(response, status, headers);
    if (chunked_) response.chunked(true);
    begun_ = true;
    http::response_serializer<http::empty_body> serializer{response};
    stream_.expires_after(std::chrono::seconds(limits::idle_timeout_s));
    auto [error, bytes] = co_await http::async_write_header(stream_, serializer, as_result);
    stream_.expires_never();
    if (error) aborted_ = true;
    co_return !error;
  }

  Async<bool> write(std::string part) override {
    if (part.empty() || bodiless_) co_return true;
    stream_.expires_after(std::chrono::seconds(limits::idle_timeout_s));
    error_code failed;
    if (chunked_) {
      auto [error, bytes] =
          co_await asio::async_write(stream_, http::make_chunk(asio::buffer(part)), as_result);
      failed = error;
    } else {
      auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(part), as_result);
      failed = error;
    }
    stream_.expires_never();
    if (failed) aborted_ = true;
    co_return !failed;
  }

  Async<bool> finish() override {
    answered_ = true;
    if (!chunked_) co_return true;
    stream_.expires_after(std::chrono::seconds(limits::idle_timeout_s));
    auto [error, bytes] = co_await asio::async_write(stream_, http::make_chunk_last(), as_result);
    stream_.expires_never();
    if (error) aborted_ = true;
    co_return !error;
  }

  void abort() override {
    aborted_ = true;
    error_code ignored;
    stream_.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    stream_.socket().close(ignored);
  }

  Async<void> client_gone() override {
    auto [wait_error] = co_await stream_.socket().async_wait(tcp::socket::wait_read, as_result);
    if (wait_error) co_return;
    char byte = 0;
    error_code error;
    const std::size_t count =
        stream_.socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
    if (error || count == 0) co_return;
    // Bytes of a pipelined request: the client is there. Never return; the caller cancels us.
    asio::steady_timer forever(stream_.get_executor(), asio::steady_timer::time_point::max());
    co_await forever.async_wait(as_result);
  }

 private:
  template <class Response>
  void fill(Response& response, unsigned status, const Headers& headers) const {
    response.version(11);
    response.result(status);
    for (const Header& header : headers.items()) response.insert(header.name, header.value);
    response.keep_alive(keep_alive_);
  }

  Async<void> refuse(unsigned status, std::string message) {
    keep_alive_ = false;
    Headers headers;
    headers.add("Content-Type", "application/json");
    co_await send(status, std::move(headers),
                  R"({"error":{"message":")" + message +
                      R"(","type":"invalid_request_error","param":null,"code":null}})");
    shutdown();
    // Closing with bytes unread would reset the connection, and the client, still writing its body,
    // would never see why: read on for a while.
    stream_.expires_after(std::chrono::seconds(limits::refusal_linger_s));
    std::vector<char> ignored(64 * limits::kibi);
    while (true) {
      auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(ignored), as_result);
      if (error) co_return;
    }
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::string peer_;
  HttpRequest request_;
  unsigned version_ = 11;
  bool head_only_ = false;
  bool bodiless_ = false;
  bool chunked_ = false;
  bool keep_alive_ = false;
  bool answered_ = false;
  bool begun_ = false;
  bool aborted_ = false;
};

Headers json_headers() {
  Headers headers;
  headers.add("Content-Type", "application/json");
  return headers;
}

}  // namespace

struct HttpServer::State {
  Handler handler;
  std::vector<std::unique_ptr<asio::io_context>> loops;
  std::unique_ptr<tcp::acceptor> acceptor;
  std::unique_ptr<asio::signal_set> signals;
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> exchanges{0};

  Async<void> serve(tcp::socket socket) {
    ++connections;
    try {
      Connection connection(std::move(socket));
      while (!stopping && co_await connection.next_request()) {
        ++exchanges;
        if (stopping) connection.close_after_answer();
        std::string defect;
        try {
          co_await handler(connection);
        } catch (const std::exception& error) {
          defect = error.what();
        }
        if (!connection.answered()) {
          if (!defect.empty()) log::error("a request failed: " + defect);
          co_await connection.send(
              500, json_headers(),
              R"({"error":{"message":"internal error","type":"server_error","param":null,"code":null}})");
        } else if (!defect.empty()) {
          log::error("a request failed after its answer had begun: " + defect);
          connection.abort();
        }
        --exchanges;
        if (!connection.reusable()) break;
      }
      connection.shutdown();
    } catch (const std::exception& error) {
      log::error(std::string("a connection failed: ") + error.what());
    }
    --connections;
  }

  Async<void> accept() {
    asio::steady_timer pause(*loops.front());
    std::size_t next = 0;
    while (!stopping) {
      auto& loop = *loops[next++ % loops.size()];
      auto [error, socket] = co_await acceptor->async_accept(loop, as_result);
      if (error == asio::error::operation_aborted) co_return;
      if (error) {  // out of descriptors, most likely: give connections the time to end
        pause.expires_after(std::chrono::milliseconds(limits::accept_pause_ms));
        co_await pause.async_wait(as_result);
        continue;
      }
      if (connections >= limits::connections_max)
        continue;  // the socket closes: the client sees a reset
      asio::co_spawn(loop, serve(std::move(socket)), asio::detached);
    }
  }

  Async<void> drain() {
    asio::steady_timer timer(*loops.front());
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(limits::drain_timeout_s);
    while (exchanges > 0 && std::chrono::steady_clock::now() < deadline) {
      timer.expires_after(std::chrono::milliseconds(10));
      co_await timer.async_wait(as_result);
    }
    for (const auto& loop : loops) loop->stop();
  }
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::create(const HttpServerOptions& options,
                                                       Handler handler) {
  auto state = std::make_unique<State>();
  state->handler = std::move(handler);
  for (std::size_t i = 0; i < std::max<std::size_t>(options.threads, 1); ++i) {
    state->loops.push_back(std::make_unique<asio::io_context>(1));
  }
  error_code error;
  const auto address =
      asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  if (error)
    return fail(ErrorCode::invalid_input, "no such address to listen on: " + options.host,
                "for example 127.0.0.1 or 0.0.0.0");
  const tcp::endpoint endpoint(address, options.port);
  state->acceptor = std::make_unique<tcp::acceptor>(*state->loops.front());
  state->acceptor->open(endpoint.protocol(), error);
  if (!error) state->acceptor->set_option(asio::socket_base::reuse_address(true), error);
  if (!error) state->acceptor->bind(endpoint, error);
  if (!error) state->acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(error == asio::error::address_in_use ? ErrorCode::conflict : ErrorCode::denied,
                "cannot listen on " + options.host + ":" + std::to_string(options.port) + ": " +
                    error.message(),
                "stop the other program, or choose another port with --listen HOST:PORT");
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

std::uint16_t HttpServer::port() const { return state_->acceptor->local_endpoint().port(); }

void HttpServer::run() {
  State& state = *state_;
  asio::co_spawn(*state.loops.front(), state.accept(), asio::detached);
  std::vector<std::jthread> threads;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  for (const auto& loop : state.loops) guards.push_back(asio::make_work_guard(*loop));
  for (std::size_t i = 1; i < state.loops.size(); ++i) {
    threads.emplace_back([&loop = *state.loops[i]] { loop.run(); });
  }
  state.loops.front()->run();
}

void HttpServer::stop() {
  State& state = *state_;
  if (state.stopping.exchange(true)) return;
  asio::post(*state.loops.front(), [&state] {
    error_code ignored;
    state.acceptor->close(ignored);
    asio::co_spawn(*state.loops.front(), state.drain(), asio::detached);
  });
}

void HttpServer::stop_on_signals() {
  state_->signals = std::make_unique<asio::signal_set>(*state_->loops.front(), SIGINT, SIGTERM);
  state_->signals->async_wait([this](error_code error, int) {
    if (!error) stop();
  });
}

}  // namespace understudy::net
