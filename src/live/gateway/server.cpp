#include "live/gateway/server.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <thread>

#include "adapters/lm/open_model.hpp"
#include "adapters/net/http_server.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "live/gateway/gateway.hpp"

namespace understudy::live {

namespace {

constexpr std::size_t worker_threads = 8;  // most of them wait for a llama-server
constexpr std::size_t recording_threads = 2;

// Each call takes two descriptors; the usual soft limit of 1024 is below limits::connections_max.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::string> upstream_key(const std::string& variable) {
  if (variable.empty()) return std::string{};
  const char* key = std::getenv(variable.c_str());
  if (key == nullptr || *key == '\0') {
    return fail(ErrorCode::invalid_input, "the environment has no " + variable,
                "export " + variable + "=... or leave --upstream-key-env out");
  }
  return std::string(key);
}

}  // namespace

Status run_gateway(const GatewayOptions& options) {
  const auto home = TRY(store::Home::open(options.home));
  // First here, so last to end: the upstream's idle connections and the work that comes back from
  // the pools live on its I/O loops.
  std::unique_ptr<net::HttpServer> server;
  const auto upstream = TRY(net::Upstream::create(options.upstream));
  const std::string key = TRY(upstream_key(options.upstream_key_env));
  const auto recorder = TRY(s1::Recorder::open(home));
  const auto router = TRY(Router::open(home, lm::open_model));
  const std::size_t threads = options.io_threads > 0
                                  ? options.io_threads
                                  : std::max(1U, std::thread::hardware_concurrency());
  raise_descriptor_limit();
  {
    // Ends before the flush below: the last calls reach the recorder.
    Pool pool(worker_threads);
    Pool recording(recording_threads);
    Gateway gateway({.upstream = *upstream,
                     .upstream_key = SecretText(key),
                     .recorder = *recorder,
                     .router = *router,
                     .pool = pool,
                     .recording = recording});
    server = TRY(net::HttpServer::create(
        {.host = options.host, .port = options.port, .threads = threads},
        [&gateway](net::Exchange& exchange) { return gateway.handle(exchange); }));
    log::info("listening on http://" + options.host + ":" + std::to_string(server->port()) +
              ", upstream " + options.upstream);
    if (!options.port_file.empty())
      TRY(write_file_atomically(options.port_file, std::to_string(server->port()) + "\n"));
    server->stop_on_signals();
    server->run();
  }
  const Status flushed = recorder->flush();
  log::info("stopped; " + std::to_string(recorder->committed()) + " calls recorded");
  return flushed;
}

}  // namespace understudy::live
