#include "adapters/net/upstream.hpp"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/limits.hpp"

namespace understudy::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t part_bytes_max = 64 * limits::kibi;
constexpr std::size_t idle_connections_max = 64;  // per I/O thread

struct Url {
  bool secure = false;
  std::string host;
  std::string port;
  std::string prefix;

  // For the Host header: an IPv6 address in brackets, no default port.
  std::string authority() const {
    const std::string name = host.contains(':') ? "[" + host + "]" : host;
    return port == (secure ? "443" : "80") ? name : name + ":" + port;
  }
};

Result<Url> parse_url(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::invalid_input, "not an upstream URL: " + std::string(text),
                "for example https://api.example.com/v1");
  };
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.secure = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad();
  }
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with("/v1")) path.remove_suffix(3);  // the clients' paths begin with /v1 themselves
  url.prefix = std::string(path);
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    url.port = std::string(authority.substr(colon + 1));
    authority = authority.substr(0, colon);
    if (url.port.empty() || url.port.find_first_not_of("0123456789") != std::string::npos)
      return bad();
  } else {
    url.port = url.secure ? "443" : "80";
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  if (authority.empty() || authority.find('@') != std::string_view::npos) return bad();
  url.host = std::string(authority);
  return url;
}

using Plain = beast::tcp_stream;
using Secure = ssl::stream<beast::tcp_stream>;

struct Connection {
  std::variant<Plain, Secure> stream;
  beast::flat_buffer buffer;

  beast::tcp_stream& lowest() {
    if (auto* plain = std::get_if<Plain>(&stream)) return *plain;
    return std::get<Secure>(stream).next_layer();
  }
  // The peer has closed or sent something unasked: not to be used again.
  bool stale() {
    error_code error;
    lowest().socket().non_blocking(true, error);
    char byte = 0;
    const std::size_t count =
        lowest().socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
    return error != asio::error::would_block || count > 0;
  }
};

// Idle connections of one I/O thread, the latest used first.
class Pool {
 public:
  std::unique_ptr<Connection> take() {
    while (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      if (!connection->stale()) return connection;
    }
    return nullptr;
  }
  void give(std::unique_ptr<Connection> connection) {
    if (idle_.size() < idle_connections_max) idle_.push_back(std::move(connection));
  }

 private:
  std::vector<std::unique_ptr<Connection>> idle_;
};

class Answer final : public UpstreamAnswer {
 public:
  Answer(std::unique_ptr<Connection> connection, std::shared_ptr<Pool> pool, std::string url,
         std::string_view method)
      : connection_(std::move(connection)),
        pool_(std::move(pool)),
        url_(std::move(url)),
        head_only_(method == "HEAD") {
    start_message();
  }

  Async<error_code> read_header() {
    connection_->lowest().expires_after(std::chrono::seconds(limits::first_byte_timeout_s));
    while (true) {
      auto [error, bytes] = co_await std::visit(
          [this](auto& stream) {
            return http::async_read_header(stream, connection_->buffer, *parser_, as_result);
          },
          connection_->stream);
      if (error) co_return error;
      if (parser_->get().result_int() >= 200) break;
      start_message();  // 100 Continue, 103 Early Hints: the answer comes after them
    }
    for (const auto& field : parser_->get())
      headers_.add(std::string(field.name_string()), std::string(field.value()));
    co_return error_code{};
  }

  unsigned status() const override { return parser_->get().result_int(); }
  const Headers& headers() const override { return headers_; }

  Async<Result<std::string>> read() override {
    while (!parser_->is_done()) {
      part_.resize(part_bytes_max);
      parser_->get().body().data = part_.data();
      parser_->get().body().size = part_.size();
      parser_->get().body().more = true;
      connection_->lowest().expires_after(std::chrono::seconds(limits::idle_timeout_s));
      auto [error, bytes] = co_await std::visit(
          [this](auto& stream) {
            return http::async_read_some(stream, connection_->buffer, *parser_, as_result);
          },
          connection_->stream);
      if (error && error != http::error::need_buffer) {
        const bool stalled = error == beast::error::timeout;
        co_return fail(
            stalled ? ErrorCode::timeout : ErrorCode::unavailable,
            std::string(stalled ? "the upstream stalled" : "the upstream cut its answer") + " (" +
                url_ + ")");
      }
      const std::size_t count = part_.size() - parser_->get().body().size;
      if (count > 0) co_return part_.substr(0, count);
    }
    if (!connection_) co_return std::string{};  // the end was read before
    connection_->lowest().expires_never();
    if (parser_->keep_alive()) {
      pool_->give(std::move(connection_));
    }
    co_return std::string{};
  }

 private:
  void start_message() {
    parser_.emplace();
    parser_->body_limit(boost::none);
    parser_->header_limit(static_cast<std::uint32_t>(limits::header_bytes_max));
    parser_->skip(head_only_);  // its length announces a body that does not come
  }

  std::unique_ptr<Connection> connection_;
  std::shared_ptr<Pool>
      pool_;  // shared: an answer may outlive the pool's thread-local entry at shutdown
  std::string url_;
  bool head_only_;
  std::optional<http::response_parser<http::buffer_body>> parser_;  // one per message
  Headers headers_;
  std::string part_;
};

}  // namespace

struct Upstream::State {
  std::string base_url;
  Url url;
  ssl::context tls{ssl::context::tls_client};
  std::mutex mutex;
  std::unordered_map<const void*, std::shared_ptr<Pool>>
      pools;  // one per I/O thread, by its execution context

  std::shared_ptr<Pool> pool_of(const asio::any_io_executor& executor) {
    const std::scoped_lock lock(mutex);
    auto& pool = pools[&executor.context()];
    if (!pool) pool = std::make_shared<Pool>();
    return pool;
  }

  std::unexpected<Error> unreachable(std::string_view why) const {
    return fail(ErrorCode::unavailable,
                "cannot reach the upstream " + base_url + ": " + std::string(why),
                "check that it runs and that --upstream is right");
  }

  Async<Result<std::unique_ptr<Connection>>> connect() {
    auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    auto [resolve_error, endpoints] =
        co_await resolver.async_resolve(url.host, url.port, as_result);
    if (resolve_error) co_return unreachable(resolve_error.message());
    auto connection =
        url.secure
            ? std::make_unique<Connection>(
                  Connection{.stream = Secure(executor, tls), .buffer = {}})
            : std::make_unique<Connection>(Connection{.stream = Plain(executor), .buffer = {}});
    beast::tcp_stream& lowest = connection->lowest();
    lowest.expires_after(std::chrono::seconds(limits::connect_timeout_s));
    auto [connect_error, endpoint] = co_await lowest.async_connect(endpoints, as_result);
    if (connect_error) co_return unreachable(connect_error.message());
    error_code ignored;
    lowest.socket().set_option(tcp::no_delay(true), ignored);
    if (auto* secure = std::get_if<Secure>(&connection->stream)) {
      SSL_set_tlsext_host_name(secure->native_handle(), url.host.c_str());
      secure->set_verify_callback(ssl::host_name_verification(url.host));
      auto [handshake_error] =
          co_await secure->async_handshake(ssl::stream_base::client, as_result);
      if (handshake_error) co_return unreachable("TLS: " + handshake_error.message());
    }
    co_return connection;
  }
};

Upstream::Upstream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Upstream::~Upstream() = default;

Result<std::unique_ptr<Upstream>> Upstream::create(const std::string& base_url) {
  auto state = std::make_unique<State>();
  state->base_url = base_url;
  state->url = TRY(parse_url(base_url));
  error_code error;
  state->tls.set_default_verify_paths(error);
  if (error)
    return fail(ErrorCode::unavailable, "cannot read the system's certificates: " + error.message(),
                "install ca-certificates");
  state->tls.set_verify_mode(ssl::verify_peer);
  return std::unique_ptr<Upstream>(new Upstream(std::move(state)));
}

const std::string& Upstream::url() const { return state_->base_url; }

Async<Result<std::unique_ptr<UpstreamAnswer>>> Upstream::send(std::string method, std::string path,
                                                              Headers headers, std::string body) {
  auto executor = co_await asio::this_coro::executor;
  const auto pool = state_->pool_of(executor);
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(method);
  request.target(state_->url.prefix + path);
  const Headers passed_on = headers.end_to_end();
  for (const Header& header : passed_on.items()) {
    if (!same_name(header.name, "host") && !same_name(header.name, "expect"))
      request.insert(header.name, header.value);
  }
  request.set(http::field::host, state_->url.authority());
  request.body() = std::move(body);
  request.prepare_payload();
  request.keep_alive(true);

  // A pooled connection may have been closed by the upstream just now: such a request is sent once
  // more on a fresh one. Nothing of an answer was seen, so nothing is done twice that the upstream
  // answered.
  for (bool fresh = false;; fresh = true) {
    std::unique_ptr<Connection> connection = fresh ? nullptr : pool->take();
    const bool reused = connection != nullptr;
    if (!reused) {
      auto made = co_await state_->connect();
      if (!made) co_return fail(std::move(made).error());
      connection = std::move(*made);
    }
    Connection& open = *connection;
    open.lowest().expires_after(std::chrono::seconds(limits::idle_timeout_s));
    auto [write_error, bytes] = co_await std::visit(
        [&request](auto& stream) { return http::async_write(stream, request, as_result); },
        open.stream);
    if (write_error && reused) continue;
    if (write_error) co_return state_->unreachable(write_error.message());
    auto answer = std::make_unique<Answer>(std::move(connection), pool, state_->base_url, method);
    const error_code read_error = co_await answer->read_header();
    if (!read_error) co_return std::unique_ptr<UpstreamAnswer>(std::move(answer));
    if (read_error == beast::error::timeout) {
      co_return fail(ErrorCode::timeout, "the upstream " + state_->base_url +
                                             " did not answer within " +
                                             std::to_string(limits::first_byte_timeout_s) + " s");
    }
    if (!reused)
      co_return state_->unreachable("it closed the connection without an answer (" +
                                    read_error.message() + ")");
  }
}

}  // namespace understudy::net
