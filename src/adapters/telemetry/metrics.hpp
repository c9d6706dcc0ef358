// What the gateway counts, and GET /metrics in Prometheus' text form. Names begin with
// `understudy_`, or are those of OpenTelemetry's GenAI conventions in Prometheus' spelling.
// Owner: the gateway. Thread-safe. Counting one request costs about 0.2 us and allocates nothing;
// all work with names and labels is done when somebody scrapes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "records/call.hpp"

namespace understudy::telemetry {

enum class ServedBy { llm, slm, gateway };  // gateway: it answered itself, mostly with an error

// One request that is over. Times in microseconds; negative: there is none.
struct RequestFacts {
  std::string_view api;            // as Call::api; anything else counts as "other"
  std::string_view provider = {};  // protocol of the upstream: "openai", "anthropic"
  std::string_view model = {};     // as requested; empty: not counted by model
  unsigned status = 200;
  ServedBy served_by = ServedBy::llm;
  std::int64_t own_overhead_us = -1;  // arrival to end, less the time that others took
  std::int64_t first_byte_us = -1;    // arrival to the answer's first byte
  std::int64_t duration_us = -1;
  Usage usage = {};
  MicroUsd cost = {};
};

// How one attempt at an upstream ended.
enum class AttemptOutcome {
  ok,
  client_error,  // 4xx: the request's fault
  rate_limited,  // 429
  server_error,  // 5xx
  unavailable,   // no connection, or reset
  timeout,       // before the first byte
  cut,           // in the middle of an answer
  stalled,
  malformed,
  cancelled,  // the client went away
};

// What a source tells when it is asked: values that live elsewhere.
class Scrape {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  virtual ~Scrape() = default;
  virtual void gauge(std::string_view name, std::string_view help, double value,
                     Labels labels = {}) = 0;
  virtual void counter(std::string_view name, std::string_view help, double value,
                       Labels labels = {}) = 0;
};

class Metrics {
 public:
  explicit Metrics(std::string_view version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void request_ended(const RequestFacts& facts);
  void request_opened();  // and request_closed(): understudy_active_requests
  void request_closed();
  void stream_opened();
  void stream_closed();
  void refused(std::string_view code);  // by live/access: Refusal::code
  void route_decided(std::int64_t ns);  // finding a call's task and its mode

  // Ask once for an index, count with it. The same name gets the same index.
  std::size_t upstream(std::string_view name);
  void attempt_ended(std::size_t upstream, AttemptOutcome outcome);
  void retried(std::size_t upstream);

  // Called at each scrape, on the scraper's thread; must be quick and thread-safe. Sources outlive
  // the metrics, or are removed by replacing them.
  void add_source(std::function<void(Scrape&)> source);

  [[nodiscard]] std::string exposition() const;
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::telemetry
