#include "live/gateway/server.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/net/http_server.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "live/admin/admin_api.hpp"
#include "live/gateway/gateway.hpp"

namespace understudy::live {

namespace {

constexpr std::size_t pseudonym_key_bytes = 32;
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
      old.io_threads != fresh.io_threads || old.bodies_bytes != fresh.bodies_bytes) {
    log::warn(
        "listen, threads, bodies_mib and capture take effect at the next start, not at a reload");
  }
}

std::string described(const GatewayConfig& config) {
  std::string text;
  for (const UpstreamConfig& upstream : config.upstreams)
    text += (text.empty() ? "" : ", ") + upstream.url;
  return text;
}

net::TlsFiles files_of(const TlsConfig& config) {
  return {.certificate = config.certificate, .key = config.key};
}

Result<std::unique_ptr<telemetry::Spans>> open_spans(const TelemetryConfig& config) {
  if (config.otlp_endpoint.empty()) return nullptr;
  std::vector<std::pair<std::string, std::string>> headers;
  if (!config.otlp_headers_env.empty()) {
    const char* text = std::getenv(config.otlp_headers_env.c_str());
    if (text != nullptr) headers = TRY(telemetry::parse_otlp_headers(text));
  }
  return telemetry::Spans::open({.endpoint = config.otlp_endpoint,
                                 .headers = std::move(headers),
                                 .service_name = config.service_name,
                                 .version = UNDERSTUDY_VERSION,
                                 .sample_ratio = config.sample_ratio});
}

json::value to_json(const CaptureCounters& counters) {
  return json::object{{"state", to_string(counters.state)},
                      {"appended", counters.appended},
                      {"committed", counters.committed},
                      {"dropped", counters.dropped},
                      {"lost", counters.lost},
                      {"ring_records", counters.ring_records},
                      {"ring_bytes", counters.ring_bytes},
                      {"commits", counters.commits},
                      {"commit_us_sum", counters.commit_us_sum},
                      {"commit_us_max", counters.commit_us_max},
                      {"segments", counters.segments},
                      {"log_bytes", counters.log_bytes},
                      {"content_bytes", counters.content_bytes}};
}

void scrape_log(const CaptureCounters& counters, telemetry::Scrape& scrape) {
  const auto number = [](auto count) { return static_cast<double>(count); };
  scrape.gauge("understudy_log_queue_records", "Calls that wait for the call log",
               number(counters.ring_records));
  scrape.gauge("understudy_log_queue_bytes", "Their bytes", number(counters.ring_bytes));
  scrape.gauge("understudy_log_up", "1: the call log takes calls",
               counters.state == LogState::ok ? 1 : 0);
  scrape.counter("understudy_log_committed_total", "Calls that are on the disk",
                 number(counters.committed));
  scrape.counter("understudy_log_dropped_total", "Calls that found no room in the queue",
                 number(counters.dropped));
  scrape.counter("understudy_log_lost_total", "Calls that the disk did not take",
                 number(counters.lost));
  scrape.counter("understudy_log_commits_total", "Groups of calls, one fdatasync each",
                 number(counters.commits));
  scrape.counter("understudy_log_commit_seconds_total", "Time spent on them",
                 number(counters.commit_us_sum) * 1e-6);
  scrape.counter("understudy_log_bytes_total", "Written to segments", number(counters.log_bytes));
}

void scrape_bodies(const BodyMemory::Counters& counters, telemetry::Scrape& scrape) {
  const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
  scrape.gauge("understudy_bodies_bytes", "Large requests and answers that are held",
               number(counters.used_bytes));
  scrape.gauge("understudy_bodies_waiting", "Large requests that wait in line for memory",
               number(counters.waiting));
  scrape.counter("understudy_bodies_waited_total", "Large requests that had to wait for memory",
                 number(counters.waited));
  scrape.counter("understudy_bodies_refused_total", "Of these, those that waited in vain",
                 number(counters.refused));
  scrape.counter("understudy_bodies_unrecorded_total",
                 "Large answers that found no memory and were recorded without content",
                 number(counters.unrecorded));
}

void scrape_upstreams(const UpstreamSet& set, telemetry::Scrape& scrape) {
  const auto now = Breaker::Clock::now();
  for (const auto& upstream : set.upstreams()) {
    scrape.gauge("understudy_upstream_breaker_state", "0 closed, 1 half open, 2 open",
                 static_cast<double>(upstream->breaker.state(now)),
                 {{"upstream", upstream->config.name}});
  }
}

// The gateway and everything that it works with. Members end in the opposite order.
class Service {
 public:
  static Result<std::unique_ptr<Service>> open(const GatewayOptions& options);
  Status run();

 private:
  explicit Service(const GatewayOptions& options, store::Home home)
      : options_(options), home_(std::move(home)) {}
  Status open_parts(GatewayConfig config);
  Status open_admin(const AdminConfig& config);
  void tell_opened(std::string_view name, const TlsConfig& tls, const Endpoint& where) const {
    if (options_.opened)
      options_.opened(name, (tls.on() ? "https://" : "http://") + where.to_text());
  }
  Status reload();

  const GatewayOptions& options_;
  store::Home home_;
  std::unique_ptr<s1::Recorder> recorder_;
  // First of these, so last to end: the upstreams' idle connections and the work that comes back
  // from the pool live on their I/O loops.
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpServer> admin_server_;
  std::mutex reloading_;
  std::vector<std::shared_ptr<const ActiveConfig>> retired_;  // see Gateway::replace()
  std::unique_ptr<s1::SessionTracker> sessions_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<telemetry::Spans> spans_;
  std::unique_ptr<RetryBudget> retry_budget_;
  std::unique_ptr<BodyMemory> body_memory_;
  std::unique_ptr<Gateway> gateway_;
  telemetry::Metrics metrics_{UNDERSTUDY_VERSION};
  std::unique_ptr<AdminApi> admin_;
  Pool pool_{worker_threads};
};

Result<std::unique_ptr<Service>> Service::open(const GatewayOptions& options) {
  GatewayConfig config = TRY(options.load());
  auto home = TRY(store::Home::open(options.home));
  std::unique_ptr<Service> service(new Service(options, std::move(home)));
  TRY(service->open_parts(std::move(config)));
  return service;
}

Status Service::open_parts(GatewayConfig config) {
  auto active = TRY(activate(config, nullptr));
  recorder_ = TRY(open_recorder(home_, config.capture));
  // Without a log nobody asks for a session's name: any key will do.
  sessions_ = std::make_unique<s1::SessionTracker>(
      recorder_ ? recorder_->pseudonyms()
                : s1::Pseudonyms(SecretText(crypto::random_bytes(pseudonym_key_bytes))));
  router_ = TRY(Router::open(home_, options_.open_model));
  access_ = TRY(Access::open(
      home_, {.required = config.keys_required(), .signed_only = config.access.signed_only}));
  spans_ = TRY(open_spans(config.telemetry));
  retry_budget_ = std::make_unique<RetryBudget>(config.retries.budget_ratio);
  body_memory_ = std::make_unique<BodyMemory>(BodyMemory::Options{.bytes = config.bodies_bytes});
  gateway_ = std::make_unique<Gateway>(GatewayParts{.recorder = recorder_.get(),
                                                    .sessions = *sessions_,
                                                    .router = *router_,
                                                    .access = *access_,
                                                    .metrics = metrics_,
                                                    .spans = spans_.get(),
                                                    .pool = pool_,
                                                    .retry_budget = *retry_budget_,
                                                    .body_memory = *body_memory_},
                                       active);
  metrics_.add_source([this](telemetry::Scrape& scrape) {
    if (recorder_) scrape_log(recorder_->counters(), scrape);
    scrape_bodies(body_memory_->counters(), scrape);
    scrape_upstreams(*gateway_->active()->upstreams, scrape);
    router_->scrape(scrape);
  });
  server_ = TRY(net::HttpServer::create(
      {.host = config.listen.host,
       .port = config.listen.port,
       .threads = config.io_threads,
       .tls = files_of(config.tls)},
      [this](net::Exchange& exchange) { return gateway_->handle(exchange); }));
  server_->on_signal(SIGHUP, [this] {
    pool_.submit([this] {
      if (const Status done = reload(); !done)
        log::error("the configuration is refused, the old one stays in force: " +
                   done.error().to_text());
    });
  });
  TRY(open_admin(config.admin));
  log::info("listening on http" + std::string(config.tls.on() ? "s" : "") + "://" +
            Endpoint{.host = config.listen.host, .port = server_->port()}.to_text() +
            ", upstream " + described(config) + ", capture " +
            std::string(to_string(config.capture.mode)));
  tell_opened("gateway", config.tls, {.host = config.listen.host, .port = server_->port()});
  if (!options_.port_file.empty())
    TRY(write_file_atomically(options_.port_file, std::to_string(server_->port()) + "\n"));
  return {};
}

Status Service::open_admin(const AdminConfig& config) {
  if (!config.listen) return {};
  admin_ = std::make_unique<AdminApi>(
      AdminServices{.home = home_,
                    .access = *access_,
                    .metrics = metrics_,
                    .pool = pool_,
                    .upstreams = [this] { return to_json(*gateway_->active()->upstreams); },
                    .log_counters =
                        [this] {
                          return recorder_ ? to_json(recorder_->counters())
                                           : json::value(json::object{{"state", "off"}});
                        },
                    .reload = [this] { return reload(); }});
  admin_server_ = TRY(net::HttpServer::create(
      {.host = config.listen->host, .port = config.listen->port, .tls = files_of(config.tls)},
      [this](net::Exchange& exchange) { return admin_->handle(exchange); }));
  log::info("admin API on " +
            Endpoint{.host = config.listen->host, .port = admin_server_->port()}.to_text());
  tell_opened("admin", config.tls, {.host = config.listen->host, .port = admin_server_->port()});
  if (!options_.admin_port_file.empty()) {
    TRY(write_file_atomically(options_.admin_port_file,
                              std::to_string(admin_server_->port()) + "\n"));
  }
  return {};
}

Status Service::reload() {
  const std::scoped_lock lock(reloading_);
  const auto before = gateway_->active();
  auto next = TRY(activate(TRY(options_.load()), before->upstreams.get()));
  TRY(access_->reload());
  warn_of_fixed(before->config, next->config);
  access_->require_keys(next->config.keys_required());
  if (next->config.tls.on()) TRY(server_->reload_certificates());
  retired_.push_back(before);
  gateway_->replace(std::move(next));
  log::info("the configuration was read anew");
  return {};
}

Status Service::run() {
  std::jthread admin;
  if (admin_server_) admin = std::jthread([this] { admin_server_->run(); });
  server_->stop_on_signals();
  server_->run();
  if (admin_server_) admin_server_->stop();
  admin = {};
  if (!recorder_) return {};
  const Status flushed = recorder_->flush();
  log::info("stopped; " + std::to_string(recorder_->committed()) + " calls recorded");
  return flushed;
}

}  // namespace

Status run_gateway(const GatewayOptions& options) {
  keep_memory_flat();
  raise_descriptor_limit();
  const auto service = TRY(Service::open(options));
  return service->run();
}

}  // namespace understudy::live
