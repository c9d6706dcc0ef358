#include "adapters/telemetry/spans.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/own_library.hpp"

namespace understudy::telemetry {

namespace {

constexpr auto complaint_interval = std::chrono::minutes(1);

// A call's id is a UUIDv7: 16 bytes, the last 62 bits of them random. It is a trace id as it is.
std::array<std::uint8_t, 16> trace_of(std::string_view uuid) {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t digits = 0;
  for (const char c : uuid) {
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (digit < 0 || digits == 2 * bytes.size()) continue;
    bytes[digits / 2] = static_cast<std::uint8_t>(bytes[digits / 2] * 16 + digit);
    ++digits;
  }
  return bytes;
}

// Uniform in [0, 1) for random ids, the same for all spans of a trace.
double share_of(const std::array<std::uint8_t, 16>& trace) {
  std::uint64_t low = 0;
  for (std::size_t i = 9; i < trace.size(); ++i) low = low << 8 | trace[i];  // 56 random bits
  return static_cast<double>(low) / static_cast<double>(std::uint64_t{1} << 56);
}

CallSpan span_of(const Call& call, const SpanContext& context) {
  return {.trace = {},
          .parent = {},
          .call = call.id.value,
          .session = call.session.value,
          .api = call.api,
          .provider = std::string(context.provider),
          .upstream = call.upstream,
          .server_address = std::string(context.server_address),
          .requested_model = call.requested_model,
          .served_model = call.served_model,
          .finish_reason = call.finish_reason,
          .served_by = std::string(to_string(call.route.server)),
          .reason = call.route.reason,
          .task = call.route.task,
          .error = call.error,
          .server_port = context.server_port,
          .stream = context.stream,
          .failed = call.status != CallStatus::ok,
          .started_at = call.started_at,
          .first_byte_at = call.first_byte_at,
          .ended_at = call.ended_at,
          .usage = call.usage,
          .http_status = call.http_status,
          .retries = call.retries};
}

}  // namespace

struct Spans::State {
  double sample_ratio = 1;
  std::unique_ptr<SpanExporter> exporter;  // used by the thread only
  std::mutex mutex;
  std::condition_variable_any wake;
  std::vector<CallSpan> queue;
  std::atomic<std::uint64_t> exported = 0;
  std::atomic<std::uint64_t> dropped = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::chrono::steady_clock::time_point complained_at;
  std::jthread thread;

  void send(std::span<const CallSpan> spans) {
    if (exporter->export_spans(spans)) {
      exported += spans.size();
      return;
    }
    failed += spans.size();
    const auto time = std::chrono::steady_clock::now();
    if (time - complained_at < complaint_interval) return;
    complained_at = time;
    log::warn("the collector does not take spans (" + std::to_string(failed) + " lost so far)");
  }

  void send_all(std::vector<CallSpan>& spans) {
    for (std::size_t at = 0; at < spans.size(); at += limits::span_batch_max) {
      const std::size_t count = std::min(limits::span_batch_max, spans.size() - at);
      send(std::span(spans).subspan(at, count));
    }
    spans.clear();
  }

  void run(const std::stop_token& stop) {
    std::vector<CallSpan> taken;
    while (!stop.stop_requested()) {
      {
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, std::chrono::milliseconds(limits::span_interval_ms),
                      [this] { return queue.size() >= limits::span_batch_max; });
        taken.swap(queue);
      }
      send_all(taken);
    }
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(limits::span_flush_s);
    {
      const std::scoped_lock lock(mutex);
      taken.swap(queue);
    }
    for (std::size_t at = 0; at < taken.size(); at += limits::span_batch_max) {
      const std::size_t count = std::min(limits::span_batch_max, taken.size() - at);
      if (std::chrono::steady_clock::now() > deadline) {
        failed += taken.size() - at;
        return;
      }
      send(std::span(taken).subspan(at, count));
    }
  }
};

Result<std::unique_ptr<SpanExporter>> open_otlp_exporter(const SpanOptions& options) {
  using Open = void(const SpanOptions*, Result<std::unique_ptr<SpanExporter>>*);
  auto* const open =
      TRY(function_of_own_library<Open>("understudy-otlp.so", "understudy_open_span_exporter"));
  Result<std::unique_ptr<SpanExporter>> exporter;
  open(&options, &exporter);
  return exporter;
}

Spans::Spans(std::unique_ptr<State> state) : state_(std::move(state)) {}

Spans::~Spans() {
  state_->thread.request_stop();
  state_->thread.join();
}

Result<std::unique_ptr<Spans>> Spans::open(SpanOptions options, OpenSpanExporter exporter) {
  auto state = std::make_unique<State>();
  state->sample_ratio = options.sample_ratio;
  state->exporter = TRY(exporter(options));
  state->queue.reserve(limits::span_batch_max);
  State& running = *state;
  running.thread = std::jthread([&running](const std::stop_token& stop) { running.run(stop); });
  return std::unique_ptr<Spans>(new Spans(std::move(state)));
}

void Spans::offer(const Call& call, const SpanContext& context) {
  State& state = *state_;
  const auto parent = parse_trace_parent(context.trace_parent);
  const auto trace = parent ? parent->trace : trace_of(call.id.value);
  if (parent ? !parent->sampled : share_of(trace) >= state.sample_ratio) return;
  CallSpan span = span_of(call, context);
  span.trace = trace;
  if (parent) span.parent = parent->span;
  {
    const std::scoped_lock lock(state.mutex);
    if (state.queue.size() < limits::span_queue_max) {
      state.queue.push_back(std::move(span));
      if (state.queue.size() != limits::span_batch_max) return;
    } else {
      ++state.dropped;
      return;
    }
  }
  state.wake.notify_one();
}

SpanCounters Spans::counters() const {
  return {.exported = state_->exported, .dropped = state_->dropped, .failed = state_->failed};
}

}  // namespace understudy::telemetry
