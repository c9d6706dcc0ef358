// A connection to an upstream, how it is made (proxy, addresses, TLS), and the pool of idle ones
// that each I/O thread keeps per upstream. Internal to adapters/net.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/net/io_loop.hpp"
#include "adapters/net/message_parser.hpp"
#include "adapters/net/socket_stream.hpp"
#include "adapters/net/tls.hpp"
#include "adapters/net/upstream.hpp"
#include "adapters/net/url.hpp"

namespace understudy::net {

class UpstreamPool;

class UpstreamConnection final : private StreamObserver {
 public:
  explicit UpstreamConnection(IoLoop& loop) : stream(loop) {}

  SocketStream stream;
  ResponseParser parser;

 private:
  friend class UpstreamPool;
  // In the pool, a readable connection is one that the upstream closed (or spoke on unasked).
  void on_readable() override;
  void on_hang_up() override {}
  UpstreamPool* pool_ = nullptr;
};

// Idle connections of one upstream on one I/O thread; the latest is used first, so that the surplus
// of a burst grows old and is closed.
class UpstreamPool final : public LoopAttachment, private Swept {
 public:
  explicit UpstreamPool(IoLoop& loop) : loop_(loop) { loop_.add(*this); }
  ~UpstreamPool() override { loop_.remove(*this); }
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  std::unique_ptr<UpstreamConnection> take();
  void give(std::unique_ptr<UpstreamConnection> connection);
  void drop(UpstreamConnection& connection);

  // Addresses of the upstream (or its proxy), for limits::resolve_cache_s.
  std::vector<boost::asio::ip::tcp::endpoint> addresses;
  std::int64_t addresses_until_ns = 0;

 private:
  struct Idle {
    std::unique_ptr<UpstreamConnection> connection;
    std::int64_t until_ns = 0;
  };
  void on_sweep(std::int64_t now_ns) override;
  void on_loop_stall(std::int64_t) override {}
  void on_loop_end() override {}

  IoLoop& loop_;
  std::vector<Idle> idle_;  // oldest first
  bool closing_old_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what it posted
};

struct UpstreamState {
  std::string base_url;
  Url url;
  std::optional<Url> proxy;
  std::string host_header;    // a header line
  std::string target_prefix;  // of every path; absolute where a proxy is asked without CONNECT
  std::string proxy_header;   // Proxy-Authorization, a header line, or empty
  std::shared_ptr<const TlsContext> tls;
  std::uint64_t id = 0;
  std::mutex mutex;  // over `loops` alone
  std::vector<std::shared_ptr<LoopHandle>> loops;

  UpstreamPool& pool(IoLoop& loop);
  [[nodiscard]] Error unreachable(std::string_view why) const;
  [[nodiscard]] Error timed_out(std::string_view what) const;
  [[nodiscard]] Error cancelled() const;
};

// Connects, asks the proxy, shakes hands, all before the stream's deadline; the stream is the one
// to cancel meanwhile.
Async<Result<void>> open_connection(UpstreamState& upstream, UpstreamConnection& connection);

}  // namespace understudy::net
