#include "adapters/net/upstream_connection.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "base/limits.hpp"

namespace understudy::net {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// What a lookup or a connect in the background leaves behind; shared with its handler, which may
// come after the coroutine gave up.
template <class T>
struct Outcome {
  bool done = false;
  error_code error;
  T value = {};
};

// The reason that counts: a call that was cancelled or came too late fails for that.
std::unexpected<Error> broken(const UpstreamState& upstream, const SocketStream& stream,
                              std::string_view why) {
  if (stream.failure() == StreamFailure::cancelled) return fail(upstream.cancelled());
  if (stream.failure() == StreamFailure::timeout)
    return fail(upstream.timed_out("no connection in time"));
  return fail(upstream.unreachable(why));
}

Result<void> check_waits(const UpstreamState& upstream, const SocketStream& stream,
                         std::string_view late) {
  if (stream.failure() == StreamFailure::timeout) return fail(upstream.timed_out(late));
  if (stream.failure() == StreamFailure::cancelled) return fail(upstream.cancelled());
  return {};
}

Async<Result<std::vector<tcp::endpoint>>> resolve(UpstreamState& upstream, SocketStream& stream) {
  const Url& peer = upstream.proxy ? *upstream.proxy : upstream.url;
  error_code error;
  const auto literal = asio::ip::make_address(peer.host, error);
  const auto port = static_cast<std::uint16_t>(std::stoul(peer.port));
  if (!error) co_return std::vector<tcp::endpoint>{{literal, port}};
  UpstreamPool& pool = upstream.pool(stream.loop());
  if (stream.loop().coarse_now_ns() < pool.addresses_until_ns) co_return pool.addresses;

  const auto outcome = std::make_shared<Outcome<std::vector<tcp::endpoint>>>();
  const auto resolver = std::make_shared<tcp::resolver>(stream.loop().context());
  // The lookup itself cannot be stopped; who waits for it can.
  resolver->async_resolve(peer.host, peer.port,
                          [outcome, resolver, wake = stream.waker()](
                              error_code failed, tcp::resolver::results_type found) {
                            outcome->done = true;
                            outcome->error = failed;
                            for (const auto& entry : found)
                              outcome->value.push_back(entry.endpoint());
                            wake();
                          });
  while (!outcome->done) {
    if (auto waits = check_waits(upstream, stream, "its name was not resolved in time"); !waits)
      co_return fail(std::move(waits).error());
    co_await stream.woken();
  }
  if (outcome->error || outcome->value.empty())
    co_return fail(upstream.unreachable("no address for " + peer.host + " (" +
                                        outcome->error.message() + ")"));
  UpstreamPool& cache = upstream.pool(stream.loop());
  cache.addresses = outcome->value;
  cache.addresses_until_ns =
      stream.loop().deadline_in(std::chrono::seconds(limits::resolve_cache_s));
  co_return outcome->value;
}

Async<Result<void>> connect_to(UpstreamState& upstream, SocketStream& stream, tcp::endpoint address,
                               std::int64_t give_up_ns) {
  const auto outcome = std::make_shared<Outcome<bool>>();
  error_code ignored;
  stream.socket().close(ignored);
  stream.socket().async_connect(address, [outcome, wake = stream.waker()](error_code failed) {
    outcome->done = true;
    outcome->error = failed;
    wake();
  });
  while (!outcome->done) {
    if (auto waits = check_waits(upstream, stream, "it did not accept the connection in time");
        !waits)
      co_return waits;
    if (stream.loop().coarse_now_ns() >= give_up_ns)
      co_return fail(upstream.timed_out("it did not accept the connection in time"));
    co_await stream.woken(give_up_ns);
  }
  if (outcome->error) co_return broken(upstream, stream, outcome->error.message());
  stream.socket().set_option(tcp::no_delay(true), ignored);
  stream.register_anew();
  co_return Result<void>{};
}

// One address after the other; each has its share of the time that is left.
Async<Result<void>> connect_to_any(UpstreamState& upstream, SocketStream& stream,
                                   std::vector<tcp::endpoint> addresses) {
  Result<void> last = fail(upstream.unreachable("it has no address"));
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::int64_t now_ns = stream.loop().coarse_now_ns();
    const auto left = static_cast<std::int64_t>(addresses.size() - i);
    const std::int64_t give_up_ns =
        left == 1 ? never_ns : now_ns + (stream.deadline_ns() - now_ns) / left;
    last = co_await connect_to(upstream, stream, addresses[i], give_up_ns);
    if (last || stream.failure() != StreamFailure::none) co_return last;
  }
  co_return last;
}

Async<Result<void>> write_all(UpstreamState& upstream, SocketStream& stream, std::string bytes,
                              std::string_view what) {
  Outgoing outgoing{bytes};
  while (true) {
    const IoStatus status = stream.write(outgoing);
    if (status == IoStatus::done) co_return Result<void>{};
    if (status == IoStatus::failed || status == IoStatus::ended)
      co_return broken(upstream, stream, "the connection was cut");
    if (auto waits = check_waits(upstream, stream, what); !waits) co_return waits;
    co_await stream.ready_for(status);
  }
}

Async<Result<void>> ask_proxy(UpstreamState& upstream, UpstreamConnection& connection) {
  constexpr std::string_view late = "its proxy did not answer in time";
  const std::string target = upstream.url.authority_with_port();
  if (auto sent = co_await write_all(upstream, connection.stream,
                                     "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" +
                                         upstream.proxy_header + "\r\n",
                                     late);
      !sent)
    co_return sent;
  Headers ignored;
  SocketStream& stream = connection.stream;
  connection.parser.start(ignored, ResponseParser::Body::none);
  while (true) {
    const ParseResult result = connection.parser.parse_head(stream.unread());
    stream.consume(result.consumed);
    if (result.status == ParseStatus::done) break;
    if (result.status != ParseStatus::need_more)
      co_return fail(upstream.unreachable("its proxy does not speak HTTP"));
    const IoStatus status = stream.fill().status;
    if (status == IoStatus::done) continue;
    stream.settle();
    if (status != IoStatus::want_read)
      co_return broken(upstream, stream, "its proxy closed the connection");
    if (auto waits = check_waits(upstream, stream, late); !waits) co_return waits;
    co_await stream.readable();
  }
  const bool spoke_on = !stream.unread().empty();
  stream.consume(stream.unread().size());
  stream.settle();
  const unsigned status = connection.parser.status();
  if (status / 100 != 2 || spoke_on)
    co_return fail(upstream.unreachable("its proxy refused with status " + std::to_string(status)));
  co_return Result<void>{};
}

Async<Result<void>> shake_hands(UpstreamState& upstream, SocketStream& stream) {
  stream.use_tls(
      TlsSession::connect(*upstream.tls, stream.socket().native_handle(), upstream.url.host));
  while (true) {
    const IoStatus status = stream.tls()->handshake().status;
    if (status == IoStatus::done) co_return Result<void>{};
    if (status == IoStatus::failed || status == IoStatus::ended)
      co_return broken(upstream, stream, "TLS: " + stream.tls()->reason());
    if (auto waits = check_waits(upstream, stream, "the TLS handshake did not end in time"); !waits)
      co_return waits;
    co_await stream.ready_for(status);
  }
}

}  // namespace

Async<Result<void>> open_connection(UpstreamState& upstream, UpstreamConnection& connection) {
  SocketStream& stream = connection.stream;
  auto addresses = co_await resolve(upstream, stream);
  if (!addresses) co_return fail(std::move(addresses).error());
  auto connected = co_await connect_to_any(upstream, stream, *std::move(addresses));
  if (!connected) co_return connected;
  if (!upstream.url.secure) co_return connected;
  if (upstream.proxy) {
    if (auto asked = co_await ask_proxy(upstream, connection); !asked) co_return asked;
  }
  co_return co_await shake_hands(upstream, stream);
}

void UpstreamConnection::on_readable() {
  const IoStatus status = stream.probe();
  // TLS speaks on its own account: session tickets, key updates.
  if (status == IoStatus::want_read || status == IoStatus::want_write) {
    stream.arm_read();
  } else if (pool_ != nullptr) {
    pool_->drop(*this);
  }
}

std::unique_ptr<UpstreamConnection> UpstreamPool::take() {
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back().connection);
  idle_.pop_back();
  connection->pool_ = nullptr;
  connection->stream.observe(nullptr);
  return connection;
}

void UpstreamPool::give(std::unique_ptr<UpstreamConnection> connection) {
  if (idle_.size() >= limits::upstream_idle_connections_max || loop_.ending()) return;
  SocketStream& stream = connection->stream;
  connection->pool_ = this;
  stream.settle();
  stream.set_deadline(never_ns);
  stream.observe(connection.get());
  stream.arm_read();
  const std::int64_t until_ns =
      loop_.deadline_in(std::chrono::seconds(limits::upstream_idle_timeout_s));
  idle_.push_back({std::move(connection), until_ns});
}

void UpstreamPool::drop(UpstreamConnection& connection) {
  std::erase_if(idle_, [&](const Idle& idle) { return idle.connection.get() == &connection; });
}

void UpstreamPool::on_sweep(std::int64_t now_ns) {
  if (idle_.empty() || closing_old_ || idle_.front().until_ns > now_ns) return;
  closing_old_ = true;
  // Not on the spot: the sweep walks over the streams.
  loop_.post([this, now_ns, handle = std::weak_ptr<bool>(alive_)] {
    if (handle.expired()) return;
    closing_old_ = false;
    std::erase_if(idle_, [now_ns](const Idle& idle) { return idle.until_ns <= now_ns; });
  });
}

}  // namespace understudy::net
