// OpenTelemetry spans of calls, by the GenAI conventions, sent as OTLP over HTTP. A span holds no
// content: `understudy.call.id` refers to the encrypted call log, which has its own access control.
// Owner: the gateway. offer() is cheap, never blocks and never grows: a full queue drops the span
// and counts it. One background thread exports; the exporter (opentelemetry-cpp, protobuf, libcurl:
// 8 MiB and 25 ms when linked) lies in understudy-otlp.so, opened only when spans are wanted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/telemetry/trace_parent.hpp"
#include "base/result.hpp"
#include "records/call.hpp"

namespace understudy::telemetry {

struct SpanOptions {
  std::string endpoint;  // "http://127.0.0.1:4318", or the whole ".../v1/traces"
  std::vector<std::pair<std::string, std::string>> headers = {};  // for the collector's tokens
  std::string service_name = "understudy";
  std::string version = {};
  double sample_ratio = 1;
};

// What the call's record does not say.
struct SpanContext {
  std::string_view provider = {};        // "openai", "anthropic"
  std::string_view trace_parent = {};    // the client's header
  std::string_view server_address = {};  // the upstream's host
  std::uint16_t server_port = 0;
  bool stream = false;
};

// The facts of one call that go into its span.
struct CallSpan {
  std::array<std::uint8_t, 16> trace{};
  std::array<std::uint8_t, 8> parent{};  // zero: none
  std::string call, session, api, provider, upstream, server_address, requested_model, served_model,
      finish_reason, served_by, reason, task, error;
  std::uint16_t server_port = 0;
  bool stream = false;
  bool failed = false;
  UnixMicros started_at, first_byte_at, ended_at;
  Usage usage;
  std::int32_t http_status = 0;
  std::int32_t retries = 0;
};

class SpanExporter {
 public:
  virtual ~SpanExporter() = default;
  // Blocks, with a deadline. false: the collector did not take them.
  virtual bool export_spans(std::span<const CallSpan> spans) = 0;
};
using OpenSpanExporter =
    std::function<Result<std::unique_ptr<SpanExporter>>(const SpanOptions& options)>;
Result<std::unique_ptr<SpanExporter>> open_otlp_exporter(const SpanOptions& options);

struct SpanCounters {
  std::uint64_t exported = 0;
  std::uint64_t dropped = 0;  // the queue was full
  std::uint64_t failed = 0;   // the collector did not take them
};

class Spans {
 public:
  static Result<std::unique_ptr<Spans>> open(SpanOptions options,
                                             OpenSpanExporter exporter = open_otlp_exporter);
  // Sends what is queued, for at most limits::span_flush_s.
  ~Spans();
  Spans(const Spans&) = delete;
  Spans& operator=(const Spans&) = delete;

  // Copies no content. Calls that are not sampled cost a few nanoseconds: a client's traceparent
  // decides for its calls, the ratio for all others.
  void offer(const Call& call, const SpanContext& context);
  [[nodiscard]] SpanCounters counters() const;

 private:
  struct State;
  explicit Spans(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// "name=value,name=value", as OTEL_EXPORTER_OTLP_HEADERS has it (values may be %-encoded).
Result<std::vector<std::pair<std::string, std::string>>> parse_otlp_headers(std::string_view text);

}  // namespace understudy::telemetry
