#include "live/gateway/server.hpp"

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
  const auto upstream = TRY(net::Upstream::create(options.upstream));
  const std::string key = TRY(upstream_key(options.upstream_key_env));
  const auto recorder = TRY(s1::Recorder::open(home));
  const auto router = TRY(Router::open(home, lm::open_model));
  const std::size_t threads = options.io_threads > 0
                                  ? options.io_threads
                                  : std::max(1U, std::thread::hardware_concurrency());
  {
    Pool pool(worker_threads);  // ends before the recorder: the last calls are recorded
    Gateway gateway({.upstream = *upstream,
                     .upstream_key = SecretText(key),
                     .recorder = *recorder,
                     .router = *router,
                     .pool = pool});
    auto server = TRY(net::HttpServer::create(
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
