#include "adapters/net/http_server.hpp"

#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "adapters/net/io_loop.hpp"
#include "adapters/net/server_connection.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"

namespace understudy::net {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// One I/O thread of a server.
struct Worker {
  IoLoop loop;
  std::unordered_set<ServerConnection*> open;  // of this loop's thread
  std::atomic<std::size_t> connections{0};
};

std::vector<std::size_t> usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::size_t> processors;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return {};
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

// Binds the calling thread. Busy I/O threads never sleep, and a thread that does not sleep is
// seldom moved: two of them were seen to share one processor for milliseconds while the other one
// idled.
void bind_to(std::size_t processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0)
    log::warn("an I/O thread is not bound to its processor; that costs some throughput");
}

}  // namespace

struct HttpServer::State {
  ServerContext context;
  HttpServerOptions options;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::size_t> processors;  // one for each worker; empty: they run anywhere
  std::optional<tcp::acceptor> acceptor;
  std::uint16_t port = 0;
  std::optional<asio::steady_timer> timer;  // pauses of the acceptor, then the drain's steps
  std::vector<std::unique_ptr<asio::signal_set>> signals;
  std::vector<std::function<Async<void>()>> starts;
  std::mutex tls_mutex;
  std::shared_ptr<const TlsContext> tls;
  bool draining = false;  // first loop only
  bool waits_ended = false;
  std::int64_t drain_deadline_ns = 0;

  [[nodiscard]] std::shared_ptr<const TlsContext> current_tls() {
    const std::scoped_lock lock(tls_mutex);
    return tls;
  }
  [[nodiscard]] std::size_t connections() const {
    std::size_t sum = 0;
    for (const auto& worker : workers) sum += worker->connections;
    return sum;
  }

  Async<void> serve(Worker& worker, int descriptor);
  void wait_for_clients();
  void accept_all();
  void hand_over(int descriptor);
  void wait_for_signal(asio::signal_set& set, std::function<void()> callback);
  void begin_drain();
  void drain_step();
};

Async<void> HttpServer::State::serve(Worker& worker, int descriptor) {
  try {
    const auto session_tls = current_tls();
    ServerConnection connection(context, worker.loop, descriptor, session_tls.get());
    worker.open.insert(&connection);
    try {
      co_await connection.serve();
    } catch (const std::exception& error) {
      log::error(std::string("a connection failed: ") + error.what());
    }
    worker.open.erase(&connection);
  } catch (const std::exception& error) {
    log::error(std::string("a connection failed: ") + error.what());
  }
  --worker.connections;
}

void HttpServer::State::wait_for_clients() {
  acceptor->async_wait(tcp::acceptor::wait_read, [this](error_code error) {
    if (!error && !context.stopping) accept_all();
  });
}

void HttpServer::State::accept_all() {
  while (true) {
    const int descriptor =
        ::accept4(acceptor->native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      hand_over(descriptor);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return wait_for_clients();
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // Out of descriptors, most likely: give connections the time to end.
    timer->expires_after(std::chrono::milliseconds(limits::accept_pause_ms));
    timer->async_wait([this](error_code error) {
      if (!error && !context.stopping) accept_all();
    });
    return;
  }
}

void HttpServer::State::hand_over(int descriptor) {
  if (connections() >= limits::connections_max) {
    ::close(descriptor);  // the client sees the end at once
    return;
  }
  const auto least = std::ranges::min_element(
      workers, {}, [](const auto& worker) { return worker->connections.load(); });
  Worker& worker = **least;
  ++worker.connections;
  worker.loop.post([this, &worker, descriptor] {
    asio::co_spawn(worker.loop.context(), serve(worker, descriptor), asio::detached);
  });
}

void HttpServer::State::wait_for_signal(asio::signal_set& set, std::function<void()> callback) {
  set.async_wait([this, &set, callback = std::move(callback)](error_code error, int) {
    if (error) return;
    callback();
    wait_for_signal(set, callback);
  });
}

void HttpServer::State::begin_drain() {
  if (std::exchange(draining, true)) return;
  error_code ignored;
  acceptor->close(ignored);
  for (const auto& worker : workers) {
    worker->loop.post([&worker = *worker] {
      for (ServerConnection* connection : worker.open) connection->stop_if_idle();
    });
  }
  drain_deadline_ns = steady_now_ns() + std::chrono::nanoseconds(options.deadlines.drain).count();
  drain_step();
}

// Open exchanges may finish; at the deadline everything that still waits is told to end, which it
// does at once unless it is stuck in something of its own.
void HttpServer::State::drain_step() {
  const std::int64_t now_ns = steady_now_ns();
  const std::int64_t last_ns = drain_deadline_ns + std::int64_t{limits::drain_end_ms} * 1'000'000;
  if (connections() == 0 || now_ns >= last_ns) {
    for (const auto& worker : workers) worker->loop.stop();
    return;
  }
  if (now_ns >= drain_deadline_ns && !std::exchange(waits_ended, true)) {
    for (const auto& worker : workers)
      worker->loop.post([&worker = *worker] { worker.loop.end_all_waits(); });
  }
  timer->expires_after(std::chrono::milliseconds(5));
  timer->async_wait([this](error_code error) {
    if (!error) drain_step();
  });
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::create(const HttpServerOptions& options,
                                                       Handler handler) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->context.handler = std::move(handler);
  state->context.deadlines = options.deadlines;
  if (!options.tls.certificate.empty() || !options.tls.key.empty())
    state->tls = TRY(TlsContext::server(options.tls.certificate, options.tls.key));
  if (options.threads == 0) state->processors = usable_processors();
  const std::size_t threads = std::max({options.threads, state->processors.size(), std::size_t{1}});
  for (std::size_t i = 0; i < threads; ++i) state->workers.push_back(std::make_unique<Worker>());
  asio::io_context& first = state->workers.front()->loop.context();
  state->timer.emplace(first);
  error_code error;
  const auto address =
      asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  if (error)
    return fail(ErrorCode::invalid_input, "no such address to listen on: " + options.host,
                "for example 127.0.0.1 or 0.0.0.0");
  const tcp::endpoint endpoint(address, options.port);
  tcp::acceptor& acceptor = state->acceptor.emplace(first);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.native_non_blocking(true, error);
  if (error) {
    return fail(error == asio::error::address_in_use ? ErrorCode::conflict : ErrorCode::denied,
                "cannot listen on " + options.host + ":" + std::to_string(options.port) + ": " +
                    error.message(),
                "stop the other program, or choose another port with --listen HOST:PORT");
  }
  state->port = acceptor.local_endpoint().port();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

std::uint16_t HttpServer::port() const { return state_->port; }
std::size_t HttpServer::connections() const { return state_->connections(); }

void HttpServer::run() {
  State& state = *state_;
  state.wait_for_clients();
  Worker& first = *state.workers.front();
  for (const auto& start : state.starts)
    first.loop.post(
        [&first, work = start] { asio::co_spawn(first.loop.context(), work(), asio::detached); });
  const auto run_worker = [&state](std::size_t i) {
    if (!state.processors.empty()) bind_to(state.processors[i]);
    state.workers[i]->loop.run();
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < state.workers.size(); ++i)
    threads.emplace_back([&run_worker, i] { run_worker(i); });
  run_worker(0);
}

void HttpServer::stop() {
  State& state = *state_;
  if (state.context.stopping.exchange(true)) {  // a second time: whoever asks means now
    state.workers.front()->loop.post([&state] { state.drain_deadline_ns = steady_now_ns(); });
    return;
  }
  state.workers.front()->loop.post([&state] { state.begin_drain(); });
}

void HttpServer::stop_on_signals() {
  asio::io_context& first = state_->workers.front()->loop.context();
  auto& set =
      *state_->signals.emplace_back(std::make_unique<asio::signal_set>(first, SIGINT, SIGTERM));
  state_->wait_for_signal(set, [this] { stop(); });
}

void HttpServer::on_signal(int signal, std::function<void()> callback) {
  asio::io_context& first = state_->workers.front()->loop.context();
  auto& set = *state_->signals.emplace_back(std::make_unique<asio::signal_set>(first, signal));
  state_->wait_for_signal(set, std::move(callback));
}

void HttpServer::start_with(std::function<Async<void>()> work) {
  state_->starts.push_back(std::move(work));
}

Result<void> HttpServer::reload_certificates() {
  if (state_->options.tls.certificate.empty()) return {};
  auto fresh = TRY(TlsContext::server(state_->options.tls.certificate, state_->options.tls.key));
  const std::scoped_lock lock(state_->tls_mutex);
  state_->tls = std::move(fresh);
  return {};
}

}  // namespace understudy::net
