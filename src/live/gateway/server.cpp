#include "live/gateway/server.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "adapters/net/http_server.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "live/gateway/gateway.hpp"

namespace understudy::live {

namespace {

constexpr std::size_t worker_threads = 8;  // most of them wait for a llama-server

// Each call takes two descriptors; the usual soft limit of 1024 is below limits::connections_max.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// glibc keeps freed memory in an arena per thread, and large blocks below a threshold that grows:
// a burst of large bodies would stay in the process for ever. Two arenas are enough for two or
// three busy threads; large blocks go back to the system when they are freed.
void keep_memory_flat() {
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(256 * limits::kibi));
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(512 * limits::kibi));
}

Result<std::shared_ptr<const ActiveConfig>> activate(GatewayConfig config,
                                                     const UpstreamSet* before) {
  auto upstreams = TRY(UpstreamSet::create(config, before));
  return std::make_shared<const ActiveConfig>(
      ActiveConfig{.config = std::move(config), .upstreams = std::move(upstreams)});
}

Result<std::unique_ptr<s1::Recorder>> open_recorder(const store::Home& home,
                                                    const CaptureConfig& config) {
  if (config.mode == CaptureMode::off) return nullptr;
  return s1::Recorder::open(home, {.mode = config.mode,
                                   .when_full = config.when_full,
                                   .ring_bytes = config.ring_bytes,
                                   .segment_bytes = config.segment_bytes,
                                   .retention_days = config.retention_days});
}

// What a reload cannot change: it needs a restart, and says so.
void warn_of_fixed(const GatewayConfig& old, const GatewayConfig& fresh) {
  if (!(old.listen == fresh.listen) || old.capture.mode != fresh.capture.mode ||
      old.io_threads != fresh.io_threads) {
    log::warn("listen, threads and capture take effect at the next start, not at a reload");
  }
}

std::string described(const GatewayConfig& config) {
  std::string text;
  for (const UpstreamConfig& upstream : config.upstreams)
    text += (text.empty() ? "" : ", ") + upstream.url;
  return text;
}

}  // namespace

Status run_gateway(const GatewayOptions& options) {
  keep_memory_flat();
  raise_descriptor_limit();
  const GatewayConfig config = TRY(options.load());
  const auto home = TRY(store::Home::open(options.home));
  // First here, so last to end: the upstreams' idle connections and the work that comes back from
  // the pools live on its I/O loops.
  std::unique_ptr<net::HttpServer> server;
  auto active = TRY(activate(config, nullptr));
  std::vector<std::shared_ptr<const ActiveConfig>> retired;  // see Gateway::replace()
  const auto recorder = TRY(open_recorder(home, config.capture));
  s1::SessionTracker sessions(recorder ? recorder->pseudonyms() : s1::Pseudonyms({}));
  const auto router = TRY(Router::open(home, options.open_model));
  const auto access = TRY(Access::open(home, {.required = config.keys_required(),
                                              .signed_only = config.access.signed_only}));
  RetryBudget retry_budget(config.retries.budget_ratio);
  const std::size_t threads =
      config.io_threads > 0 ? config.io_threads : std::max(1U, std::thread::hardware_concurrency());
  {
    // Ends before the flush below: the last calls reach the recorder.
    Pool pool(worker_threads);
    Gateway gateway({.recorder = recorder.get(),
                     .sessions = sessions,
                     .router = *router,
                     .access = *access,
                     .pool = pool,
                     .retry_budget = retry_budget},
                    active);
    server = TRY(net::HttpServer::create(
        {.host = config.listen.host,
         .port = config.listen.port,
         .threads = threads,
         .tls = {.certificate = config.tls.certificate, .key = config.tls.key}},
        [&gateway](net::Exchange& exchange) { return gateway.handle(exchange); }));
    server->on_signal(SIGHUP, [&] {
      const auto before = gateway.active();
      auto fresh = options.load();
      auto next = fresh ? activate(std::move(*fresh), before->upstreams.get())
                        : Result<std::shared_ptr<const ActiveConfig>>(fail(fresh.error()));
      if (!next) {
        log::error("the configuration is refused, the old one stays in force: " +
                   next.error().to_text());
        return;
      }
      warn_of_fixed(before->config, (*next)->config);
      access->require_keys((*next)->config.keys_required());
      retired.push_back(before);
      gateway.replace(std::move(*next));
      log::info("the configuration was read anew");
    });
    log::info("listening on http" + std::string(config.tls.on() ? "s" : "") + "://" +
              Endpoint{.host = config.listen.host, .port = server->port()}.to_text() +
              ", upstream " + described(config) + ", capture " +
              std::string(to_string(config.capture.mode)));
    if (!options.port_file.empty())
      TRY(write_file_atomically(options.port_file, std::to_string(server->port()) + "\n"));
    server->stop_on_signals();
    server->run();
  }
  if (!recorder) return {};
  const Status flushed = recorder->flush();
  log::info("stopped; " + std::to_string(recorder->committed()) + " calls recorded");
  return flushed;
}

}  // namespace understudy::live
