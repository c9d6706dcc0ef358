// What `understudy serve` is told: where it listens, which upstreams exist, which model goes where,
// what is recorded, who may call. Read from understudy.toml (load_config) or made from one URL
// (default_config, what `serve --upstream URL` means). Plain values: immutable once loaded, shared
// by all I/O threads; a hot reload makes a new one.
// Secrets never stand in it: an upstream names an environment variable or a file of mode 0600, and
// upstream_key() fetches the key.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "records/capture.hpp"

namespace understudy::live {

using std::chrono::milliseconds;

// Which family of APIs an upstream speaks: chat completions, responses, ... or Anthropic messages.
enum class Protocol { openai, anthropic };
std::string_view to_string(Protocol protocol);

struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  [[nodiscard]] bool loopback() const;
  [[nodiscard]] std::string to_text() const;  // "127.0.0.1:8080", "[::1]:8080"
  bool operator==(const Endpoint&) const = default;
};
// "HOST:PORT", IPv6 in brackets; invalid_input says what is wrong with it.
Result<Endpoint> parse_endpoint(std::string_view text);

struct TlsConfig {
  std::filesystem::path certificate;  // PEM, chain included; both empty: plain HTTP
  std::filesystem::path key;
  [[nodiscard]] bool on() const { return !certificate.empty(); }
};

struct DeadlineConfig {
  milliseconds connect{1000 * limits::connect_timeout_s};
  milliseconds first_byte{1000 * limits::first_byte_timeout_s};
  milliseconds idle{1000 * limits::idle_timeout_s};
  milliseconds total{0};  // 0: none
  bool operator==(const DeadlineConfig&) const = default;
};

struct UpstreamConfig {
  std::string name;
  std::string url;  // "https://api.example.com/v1"
  Protocol protocol = Protocol::openai;
  std::string api_key_env = {};             // both empty: the client's own key is passed on
  std::filesystem::path api_key_file = {};  // mode 0600, one line
  DeadlineConfig deadlines = {};
  std::filesystem::path ca_file = {};  // empty: the system's certificate authorities
  [[nodiscard]] bool has_own_key() const { return !api_key_env.empty() || !api_key_file.empty(); }
  bool operator==(const UpstreamConfig&) const = default;
};

struct ModelTarget {
  std::size_t upstream = 0;  // index into GatewayConfig::upstreams
  std::string model;         // as the upstream calls it; empty: as the client called it
};

struct ModelConfig {
  std::string name;                  // what clients ask for; "*" is every model not named
  std::vector<ModelTarget> targets;  // in order: the first, then its fallbacks
  std::string larger;  // another ModelConfig's name, asked when the context is too long; or empty
};

struct RetryConfig {
  int attempts_max = 3;       // over all targets of a call, the first one included
  double budget_ratio = 0.2;  // retries may be this share of the requests of an upstream
  milliseconds backoff{100};  // doubles with each retry, jittered
  milliseconds backoff_max{5'000};
  milliseconds retry_after_max{10'000};  // a longer Retry-After goes to the client instead
};

struct BreakerConfig {
  int failures = 5;  // within the window, attributed to the upstream: it is then left alone
  milliseconds window{30'000};
  milliseconds open{10'000};  // then one probe decides
};

struct CaptureConfig {
  CaptureMode mode = CaptureMode::async;
  WhenFull when_full = WhenFull::wait;
  // A full ring of small calls takes about three times as much: a slow disk must not cost 32 MiB.
  std::size_t ring_bytes = 3 * limits::mebi;
  std::size_t segment_bytes = limits::segment_bytes_max;
  int retention_days = 0;  // 0: segments are kept until someone drops them
};

// A call is human-facing when all conditions of one rule hold; empty ones hold always. Calls with
// "x-understudy-human: 1" are, whatever the rules say.
struct HumanFacingRule {
  std::string header;  // with `header_value`, or empty: the header is there at all
  std::string header_value;
  std::string key;    // name of the virtual key
  std::string model;  // as requested
  std::string path_prefix;
  std::string user_agent_prefix;
};

struct AccessConfig {
  std::optional<bool> required;  // absent: keys_required() decides
  bool signed_only = false;      // an access.json without the admin's signature is refused
};

struct AdminConfig {
  std::optional<Endpoint> listen;  // absent: there is no admin API
  TlsConfig tls;
  bool allow_plain_http = false;  // beyond loopback, without TLS
};

struct TelemetryConfig {
  std::string otlp_endpoint;     // "http://127.0.0.1:4318"; empty: no spans
  std::string otlp_headers_env;  // variable with "name=value,name=value", for tokens
  std::string service_name = "understudy";
  double sample_ratio = 1;  // share of calls that become spans
};

struct GatewayConfig {
  Endpoint listen{.host = "127.0.0.1", .port = 8080};
  std::size_t io_threads = 0;                     // 0: one per core
  std::size_t bodies_bytes = 256 * limits::mebi;  // of large requests and answers, all together
  TlsConfig tls;
  std::vector<UpstreamConfig> upstreams;  // at least one
  std::vector<ModelConfig> models;
  RetryConfig retries;
  BreakerConfig breaker;
  CaptureConfig capture;
  std::vector<HumanFacingRule> human_facing;
  AccessConfig access;
  AdminConfig admin;
  TelemetryConfig telemetry;

  [[nodiscard]] std::optional<std::size_t> find_upstream(std::string_view name) const;
  // The model's own entry, else "*", else nothing: then default_target() is where it goes.
  [[nodiscard]] const ModelConfig* find_model(std::string_view model) const;
  // The first upstream that speaks the client's protocol, else the first: index into upstreams.
  [[nodiscard]] std::size_t default_target(Protocol client) const;
  // What access.required says; where it says nothing, keys are required exactly when someone beyond
  // this machine could spend an API key that is configured here.
  [[nodiscard]] bool keys_required() const;
};

// What the command line says on top of the file; empty: nothing.
struct ConfigOverrides {
  std::string upstream_url = {};  // stands for the only [[upstream]], named "default"
  std::string upstream_key_env = {};
  std::optional<Endpoint> listen = {};
  std::optional<std::size_t> io_threads = {};
  std::optional<CaptureMode> capture = {};
};

// Reads and checks `file`, and that the keys and files that it names are there. All problems are
// reported at once, one a line: "FILE:LINE: KEY: what is wrong; what to do". invalid_input.
Result<GatewayConfig> load_config(const std::filesystem::path& file,
                                  const ConfigOverrides& overrides = {});
// The same without a look at the environment or the disk. `name` stands in for the file's; with an
// empty one problems name keys, and no lines.
Result<GatewayConfig> parse_config(std::string_view toml, std::string_view name,
                                   const ConfigOverrides& overrides = {});
// Without a file: one upstream of protocol openai, named "default". Looks into the environment.
Result<GatewayConfig> default_config(const ConfigOverrides& overrides);

// The key that the gateway sends to this upstream; empty where the client's own is passed on.
Result<SecretText> upstream_key(const UpstreamConfig& upstream);

}  // namespace understudy::live
