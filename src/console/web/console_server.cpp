#include "console/web/console_server.hpp"

#include <chrono>
#include <expected>

#include "adapters/crypto/access_secret.hpp"
#include "adapters/net/failed_attempts.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/pool.hpp"
#include "console/web/api.hpp"
#include "console/web/assets.hpp"
#include "console/web/guard.hpp"
#include "console/web/tokens.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t worker_threads = 3;
constexpr std::size_t event_streams_max = 64;
constexpr auto event_interval = std::chrono::milliseconds(1000);
constexpr std::int64_t stamps_kept_ns = 800'000'000;
constexpr int heartbeat_rounds = 15;  // of event_interval: a line that keeps the connection
constexpr net::ServerDeadlines deadlines = {.drain = std::chrono::milliseconds(300)};

std::string_view token_of(const net::HttpRequest& request) {
  std::string_view value = request.headers.find("authorization").value_or("");
  if (!net::has_prefix(value, "bearer ")) return {};
  value.remove_prefix(7);
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

bool takes_gzip(const net::HttpRequest& request) {
  return request.headers.find("accept-encoding").value_or("").find("gzip") !=
         std::string_view::npos;
}

}  // namespace

struct ConsoleServer::State {
  ConsoleOptions options;
  SecretText owner_token;
  std::unique_ptr<Tokens> tokens = nullptr;
  net::FailedAttempts failed = {};
  std::size_t event_streams = 0;  // this and the next three: of the one I/O thread
  Stamps last_stamps = {};
  std::int64_t looked_at_ns = 0;
  Stopwatch since_start = {};
  std::unique_ptr<net::HttpServer> server = nullptr;
  // Behind the server, so that they end before it: what comes back from the pool lives on its loop.
  std::unique_ptr<RefineDaemon> refine = nullptr;
  std::unique_ptr<ConsoleApi> api = nullptr;
  std::unique_ptr<Pool> pool = nullptr;

  [[nodiscard]] std::string_view scheme() const {
    return options.tls.certificate.empty() ? "http" : "https";
  }

  std::expected<Visitor, Reply> authorise(const net::HttpRequest& request);
  net::Async<Reply> answer(net::Exchange& exchange, RequestTarget target);
  net::Async<void> send(net::Exchange& exchange, Reply reply);
  net::Async<void> send_asset(net::Exchange& exchange, const WebAsset& asset);
  net::Async<void> stream_events(net::Exchange& exchange);
  net::Async<void> handle(net::Exchange& exchange);
};

std::expected<Visitor, Reply> ConsoleServer::State::authorise(const net::HttpRequest& request) {
  const std::string_view token = token_of(request);
  if (auto visitor = tokens->visitor_of(token)) return std::move(*visitor);
  if (!token.empty() && !failed.count(request.peer_address, now())) {
    Reply reply = refusal(
        429,
        {.code = ErrorCode::denied, .message = "too many wrong tokens; wait a minute", .hint = {}});
    reply.retry_after_s = 60;
    return std::unexpected(std::move(reply));
  }
  if (!token.empty()) log::warn("console: a wrong token from " + request.peer_address);
  return std::unexpected(refusal(
      401, {.code = ErrorCode::denied,
            .message = token.empty() ? "a token is needed" : "this token is not in force",
            .hint = "open the address that `understudy console` printed, or give a token of "
                    "`understudy access token --role ROLE`"}));
}

net::Async<Reply> ConsoleServer::State::answer(net::Exchange& exchange, RequestTarget target) {
  const net::HttpRequest& request = exchange.request();
  auto visitor = authorise(request);
  if (!visitor) co_return std::move(visitor).error();
  if (request.method != "GET") {
    if (auto refused = refuse_origin(request, scheme())) co_return std::move(*refused);
  }
  auto body = co_await net::read_small_body(exchange);
  if (!body) co_return failure(body.error());
  ApiRequest asked{.method = request.method,
                   .target = std::move(target),
                   .body = std::move(*body),
                   .who = std::move(*visitor)};
  co_return co_await net::on_pool<Reply>(*pool, [this, &asked] { return api->answer(asked); });
}

net::Async<void> ConsoleServer::State::send(net::Exchange& exchange, Reply reply) {
  net::Headers headers;
  add_guard_headers(headers);
  co_await net::send_reply(exchange, std::move(reply), std::move(headers));
}

net::Async<void> ConsoleServer::State::send_asset(net::Exchange& exchange, const WebAsset& asset) {
  net::Headers headers;
  headers.add("Content-Type", asset.content_type);
  // Names below /assets/ hold a hash of their content.
  headers.add("Cache-Control", asset.path.starts_with("/assets/")
                                   ? "public, max-age=31536000, immutable"
                                   : "no-cache");
  headers.add("Vary", "Accept-Encoding");
  add_guard_headers(headers);
  const bool gzip = takes_gzip(exchange.request()) && !asset.gzip.empty();
  if (gzip) headers.add("Content-Encoding", "gzip");
  co_await exchange.send(200, std::move(headers), std::string(gzip ? asset.gzip : asset.plain));
}

// One event for each change, with the stamps of everything, until the client goes or its token
// ends. The stamps say nothing but that something differs.
net::Async<void> ConsoleServer::State::stream_events(net::Exchange& exchange) {
  net::Headers headers;
  headers.add("Content-Type", "text/event-stream");
  headers.add("Cache-Control", "no-store");
  add_guard_headers(headers);
  if (!co_await exchange.begin(200, std::move(headers))) co_return;
  Stamps before;
  for (int round = 0; !exchange.client_is_gone(); ++round) {
    if (!tokens->visitor_of(token_of(exchange.request()))) break;
    // One look at the disk serves all pages that are open.
    if (looked_at_ns == 0 || since_start.elapsed_ns() - looked_at_ns > stamps_kept_ns) {
      looked_at_ns = since_start.elapsed_ns();
      last_stamps = co_await net::on_pool<Stamps>(*pool, [this] { return api->stamps(); });
    }
    const Stamps stamps = last_stamps;
    std::string text;
    if (round == 0 || stamps != before) {
      text = "event: change\ndata: " + json::to_text(to_json(stamps)) + "\n\n";
    } else if (round % heartbeat_rounds == 0) {
      text = ": alive\n\n";
    }
    before = stamps;
    if (!text.empty() && !co_await exchange.write(text)) co_return;
    co_await net::sleep_for(event_interval);
  }
  co_await exchange.finish();
}

net::Async<void> ConsoleServer::State::handle(net::Exchange& exchange) {
  const net::HttpRequest& request = exchange.request();
  auto target = parse_target(request.target);
  if (!target) co_return co_await send(exchange, failure(target.error()));
  if (auto refused = refuse_host(request, options.host_names))
    co_return co_await send(exchange, std::move(*refused));
  const bool for_api = !target->path.empty() && target->path.front() == "api";
  if (!for_api) {
    const std::string_view whole = request.target;
    const std::string path(whole.substr(0, whole.find('?')));
    if (request.method != "GET") {
      Reply reply = refusal(
          405, {.code = ErrorCode::invalid_input, .message = "not with this method", .hint = {}});
      reply.allow = "GET";
      co_return co_await send(exchange, std::move(reply));
    }
    if (path == "/health") co_return co_await send(exchange, {.body = R"({"status":"ok"})"});
    if (const WebAsset* asset = find_asset(path)) co_return co_await send_asset(exchange, *asset);
    co_return co_await send(
        exchange,
        refusal(404, {.code = ErrorCode::not_found, .message = "no such page", .hint = {}}));
  }
  if (target->path.size() == 2 && target->path[1] == "events" && request.method == "GET") {
    auto visitor = authorise(request);
    if (!visitor) co_return co_await send(exchange, std::move(visitor).error());
    if (event_streams >= event_streams_max) {
      co_return co_await send(exchange, failure({.code = ErrorCode::unavailable,
                                                 .message = "too many pages are open",
                                                 .hint = {}}));
    }
    struct Counted {
      std::size_t& count;
      explicit Counted(std::size_t& open) : count(open) { ++count; }
      ~Counted() { --count; }
    } const counted(event_streams);
    co_return co_await stream_events(exchange);
  }
  Reply reply = co_await answer(exchange, std::move(*target));
  co_await send(exchange, std::move(reply));
}

ConsoleServer::ConsoleServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
ConsoleServer::~ConsoleServer() = default;

Result<std::unique_ptr<ConsoleServer>> ConsoleServer::open(ConsoleOptions options) {
  const auto secret = crypto::make_access_secret(crypto::role_token_prefix);
  auto state =
      std::unique_ptr<State>(new State{.options = std::move(options), .owner_token = secret.text});
  state->tokens = TRY(Tokens::open(state->options.home, secret.hash));
  state->options.host_names.push_back(state->options.host);
  State* running = state.get();
  state->server = TRY(net::HttpServer::create(
      {.host = state->options.host,
       .port = state->options.port,
       .tls = state->options.tls,
       .deadlines = deadlines},
      [running](net::Exchange& exchange) { return running->handle(exchange); }));
  if (state->options.refine) state->refine = std::make_unique<RefineDaemon>(*state->options.refine);
  state->api =
      std::make_unique<ConsoleApi>(ApiOptions{.home = state->options.home,
                                              .version = state->options.version,
                                              .describe_gateway = state->options.describe_gateway,
                                              .refine = state->refine.get()});
  state->pool = std::make_unique<Pool>(worker_threads);
  state->pool->submit([running] { running->api->prepare(); });
  return std::unique_ptr<ConsoleServer>(new ConsoleServer(std::move(state)));
}

std::uint16_t ConsoleServer::port() const { return state_->server->port(); }

std::string ConsoleServer::owner_token() const { return state_->owner_token.reveal(); }

std::string ConsoleServer::owner_url() const {
  const std::string& host = state_->options.host;
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return std::string(state_->scheme()) + "://" + shown + ":" + std::to_string(port()) +
         "/#token=" + owner_token();
}

void ConsoleServer::run() { state_->server->run(); }
void ConsoleServer::stop() { state_->server->stop(); }
void ConsoleServer::stop_on_signals() { state_->server->stop_on_signals(); }

}  // namespace understudy::console
