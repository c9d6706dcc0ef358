#include "adapters/net/upstream.hpp"

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "adapters/net/upstream_connection.hpp"

namespace understudy::net {

namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

UpstreamPool& UpstreamState::pool(IoLoop& loop) {
  auto& attachment = loop.attachment(id);
  if (!attachment) {
    attachment = std::make_unique<UpstreamPool>(loop);
    const std::scoped_lock lock(mutex);
    loops.push_back(loop.handle());
  }
  return static_cast<UpstreamPool&>(*attachment);
}

Error UpstreamState::unreachable(std::string_view why) const {
  return {.code = ErrorCode::unavailable,
          .message = "cannot reach the upstream " + base_url + ": " + std::string(why),
          .hint = "check that it runs and that its URL is right"};
}

Error UpstreamState::timed_out(std::string_view what) const {
  return {.code = ErrorCode::timeout,
          .message = "the upstream " + base_url + " is too slow: " + std::string(what),
          .hint = {}};
}

Error UpstreamState::cancelled() const {
  return {.code = ErrorCode::cancelled,
          .message = "the call to " + base_url + " was cancelled",
          .hint = {}};
}

Upstream::Upstream(std::unique_ptr<UpstreamState> state) : state_(std::move(state)) {}

// Its idle connections belong to the loops' threads.
Upstream::~Upstream() {
  for (const auto& loop : state_->loops) {
    loop->post([id = state_->id](IoLoop& open) { open.detach(id); });
  }
}

Result<std::unique_ptr<Upstream>> Upstream::create(const std::string& base_url,
                                                   const UpstreamOptions& options) {
  auto state = std::make_unique<UpstreamState>();
  state->base_url = base_url;
  state->id = next_id();
  state->url = TRY(parse_upstream_url(base_url));
  if (options.use_environment_proxy)
    state->proxy = TRY(proxy_for(state->url, [](const char* name) { return std::getenv(name); }));
  state->host_header = "Host: " + state->url.authority() + "\r\n";
  state->target_prefix = state->url.prefix;
  if (state->proxy) {
    if (!state->proxy->credentials.empty())
      state->proxy_header =
          "Proxy-Authorization: Basic " + base64(state->proxy->credentials) + "\r\n";
    if (!state->url.secure)
      state->target_prefix = "http://" + state->url.authority() + state->url.prefix;
  }
  if (state->url.secure) state->tls = TRY(TlsContext::client(options.ca_file));
  return std::unique_ptr<Upstream>(new Upstream(std::move(state)));
}

const std::string& Upstream::url() const { return state_->base_url; }
const std::string& Upstream::host() const { return state_->url.host; }

std::uint16_t Upstream::port() const {
  const std::string& text = state_->url.port;
  std::uint16_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

}  // namespace understudy::net
