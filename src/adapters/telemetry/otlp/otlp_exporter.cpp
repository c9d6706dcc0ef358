// understudy-otlp.so: spans by opentelemetry-cpp, as OTLP over HTTP with protobuf bodies.
// adapters/telemetry/spans.cpp opens it when spans are wanted. The SDK's tracer and its batches are
// left out: they make spans on the thread that ends the call, and drop without counting.
#include <opentelemetry/exporters/otlp/otlp_http_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/random_id_generator.h>
#include <opentelemetry/sdk/trace/recordable.h>
#include <opentelemetry/trace/span_context.h>

#include <algorithm>
#include <chrono>

#include "adapters/telemetry/spans.hpp"
#include "base/limits.hpp"
#include "base/own_library.hpp"

UNDERSTUDY_OWN_LIBRARY;

namespace understudy::telemetry {
namespace {

namespace otel = opentelemetry;
using otel::sdk::trace::Recordable;

constexpr std::string_view traces_path = "/v1/traces";

std::string url_of(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint.ends_with(traces_path) ? endpoint : endpoint + std::string(traces_path);
}

// gen_ai.operation.name
std::string_view operation_of(std::string_view api) {
  if (api == "completions") return "text_completion";
  if (api == "embeddings") return "embeddings";
  return "chat";
}

class Attributes {
 public:
  explicit Attributes(Recordable& span) : span_(span) {}
  void text(const char* key, std::string_view value) {
    if (!value.empty())
      span_.SetAttribute(key, otel::nostd::string_view(value.data(), value.size()));
  }
  void number(const char* key, std::int64_t value) { span_.SetAttribute(key, value); }
  void decimal(const char* key, double value) { span_.SetAttribute(key, value); }
  void flag(const char* key, bool value) { span_.SetAttribute(key, value); }

 private:
  Recordable& span_;
};

void set_attributes(Recordable& span, const CallSpan& call) {
  Attributes attributes(span);
  attributes.text("gen_ai.operation.name", operation_of(call.api));
  attributes.text("gen_ai.provider.name", call.provider);
  attributes.text("gen_ai.request.model", call.requested_model);
  attributes.text("gen_ai.response.model", call.served_model);
  attributes.text("gen_ai.conversation.id", call.session);
  if (call.stream) attributes.flag("gen_ai.request.stream", true);
  if (!call.finish_reason.empty()) {
    const otel::nostd::string_view reasons[] = {call.finish_reason};
    span.SetAttribute("gen_ai.response.finish_reasons",
                      otel::nostd::span<const otel::nostd::string_view>(reasons));
  }
  if (call.usage.prompt_tokens > 0)
    attributes.number("gen_ai.usage.input_tokens", call.usage.prompt_tokens);
  if (call.usage.completion_tokens > 0)
    attributes.number("gen_ai.usage.output_tokens", call.usage.completion_tokens);
  if (call.usage.cached_prompt_tokens > 0)
    attributes.number("gen_ai.usage.cache_read.input_tokens", call.usage.cached_prompt_tokens);
  if (call.first_byte_at.known() && call.stream) {
    attributes.decimal(
        "gen_ai.response.time_to_first_chunk",
        static_cast<double>(call.first_byte_at.value - call.started_at.value) * 1e-6);
  }
  attributes.text("server.address", call.server_address);
  if (call.server_port != 0) attributes.number("server.port", call.server_port);
  attributes.number("http.response.status_code", call.http_status);
  attributes.text("error.type", call.error);
  attributes.text("understudy.call.id", call.call);
  attributes.text("understudy.api", call.api);
  attributes.text("understudy.upstream", call.upstream);
  attributes.text("understudy.served_by", call.served_by);
  attributes.text("understudy.route.reason", call.reason);
  attributes.text("understudy.task", call.task);
  if (call.usage.estimated) attributes.flag("understudy.usage.estimated", true);
  if (call.retries > 0) attributes.number("understudy.retries", call.retries);
}

class OtlpExporter final : public SpanExporter {
 public:
  explicit OtlpExporter(const SpanOptions& options)
      : resource_(otel::sdk::resource::Resource::Create(
            {{"service.name", options.service_name}, {"service.version", options.version}})),
        scope_(otel::sdk::instrumentationscope::InstrumentationScope::Create("understudy",
                                                                             options.version)) {
    otel::exporter::otlp::OtlpHttpExporterOptions http(nullptr);  // no environment behind our back
    http.url = url_of(options.endpoint);
    http.content_type = otel::exporter::otlp::HttpRequestContentType::kBinary;
    http.timeout = std::chrono::seconds(limits::span_export_timeout_s);
    http.retry_policy_max_attempts = 1;
    for (const auto& [name, value] : options.headers) http.http_headers.emplace(name, value);
    exporter_ = otel::exporter::otlp::OtlpHttpExporterFactory::Create(http);
  }

  bool export_spans(std::span<const CallSpan> spans) override {
    std::vector<std::unique_ptr<Recordable>> batch;
    batch.reserve(spans.size());
    for (const CallSpan& span : spans) batch.push_back(record(span));
    const auto result = exporter_->Export(
        otel::nostd::span<std::unique_ptr<Recordable>>(batch.data(), batch.size()));
    return result == otel::sdk::common::ExportResult::kSuccess;
  }

 private:
  std::unique_ptr<Recordable> record(const CallSpan& call) {
    auto span = exporter_->MakeRecordable();
    const otel::trace::SpanContext context(
        otel::trace::TraceId(call.trace), ids_.GenerateSpanId(),
        otel::trace::TraceFlags(otel::trace::TraceFlags::kIsSampled), false);
    span->SetIdentity(context, otel::trace::SpanId(call.parent));
    span->SetResource(resource_);
    span->SetInstrumentationScope(*scope_);
    span->SetName(std::string(operation_of(call.api)) + " " + call.requested_model);
    span->SetSpanKind(otel::trace::SpanKind::kClient);
    span->SetStartTime(
        otel::common::SystemTimestamp(std::chrono::nanoseconds(call.started_at.value * 1000)));
    span->SetDuration(std::chrono::nanoseconds(
        std::max<std::int64_t>(0, call.ended_at.value - call.started_at.value) * 1000));
    set_attributes(*span, call);
    if (call.failed) span->SetStatus(otel::trace::StatusCode::kError, call.error);
    return span;
  }

  otel::sdk::resource::Resource resource_;
  std::unique_ptr<otel::sdk::instrumentationscope::InstrumentationScope> scope_;
  otel::sdk::trace::RandomIdGenerator ids_;
  std::unique_ptr<otel::sdk::trace::SpanExporter> exporter_;
};

}  // namespace
}  // namespace understudy::telemetry

extern "C" [[gnu::visibility("default")]] void understudy_open_span_exporter(
    const understudy::telemetry::SpanOptions* options,
    understudy::Result<std::unique_ptr<understudy::telemetry::SpanExporter>>* exporter) {
  namespace logs = opentelemetry::sdk::common::internal_log;
  logs::GlobalLogHandler::SetLogLevel(logs::LogLevel::None);  // failures are counted and told by us
  try {
    *exporter = std::make_unique<understudy::telemetry::OtlpExporter>(*options);
  } catch (const std::exception& error) {
    *exporter = understudy::fail(understudy::ErrorCode::unavailable,
                                 std::string("cannot make the exporter of spans: ") + error.what());
  }
}
