// The tables of understudy.toml that stand there once: retries, capture, access, and so on.
#include "live/config/config_parse.hpp"

#include <array>
#include <format>

namespace understudy::live {

void read_retries(const toml::table& table, Parse& parse) {
  TableReader reader(table, "retries", parse.problems);
  RetryConfig& retries = parse.config.retries;
  reader.integer("attempts_max", retries.attempts_max, {.least = 1, .most = 10});
  reader.share("budget_ratio", retries.budget_ratio);
  reader.duration("backoff_ms", retries.backoff);
  reader.duration("backoff_ms_max", retries.backoff_max);
  if (retries.backoff_max < retries.backoff)
    reader.problem("backoff_ms_max", "is less than backoff_ms");
  reader.duration("retry_after_s_max", retries.retry_after_max, 1000);
}

void read_breaker(const toml::table& table, Parse& parse) {
  TableReader reader(table, "breaker", parse.problems);
  BreakerConfig& breaker = parse.config.breaker;
  reader.integer("failures", breaker.failures, {.least = 0, .most = 1000});
  reader.duration("window_s", breaker.window, 1000);
  reader.duration("open_s", breaker.open, 1000);
}

void read_capture(const toml::table& table, Parse& parse) {
  TableReader reader(table, "capture", parse.problems);
  CaptureConfig& capture = parse.config.capture;
  constexpr std::array modes = {CaptureMode::off, CaptureMode::async, CaptureMode::durable};
  if (const auto mode = reader.choice("mode", {"off", "async", "durable"}))
    capture.mode = modes[*mode];
  if (const auto when = reader.choice("when_full", {"wait", "drop"}))
    capture.when_full = *when == 0 ? WhenFull::wait : WhenFull::drop;
  const auto mebibytes = [&reader](std::string_view key, std::size_t& bytes, std::int64_t most) {
    auto count = static_cast<std::int64_t>(bytes / limits::mebi);
    reader.integer(key, count, {.least = 1, .most = most});
    bytes = static_cast<std::size_t>(count) * limits::mebi;
  };
  mebibytes("ring_mib", capture.ring_bytes, limits::log_ring_bytes_max / limits::mebi);
  mebibytes("segment_mib", capture.segment_bytes, limits::segment_bytes_max / limits::mebi);
  reader.integer("retention_days", capture.retention_days, {.least = 0, .most = 36'500});
}

void read_human_facing(const toml::table& table, Parse& parse) {
  TableReader reader(table, "human_facing", parse.problems);
  HumanFacingRule rule;
  reader.text("header", rule.header);
  reader.text("value", rule.header_value);
  reader.text("key", rule.key);
  reader.text("model", rule.model);
  reader.text("path_prefix", rule.path_prefix);
  reader.text("user_agent_prefix", rule.user_agent_prefix);
  if (!is_header_name(rule.header)) reader.problem("header", "is no header's name");
  if (rule.header.empty() && !rule.header_value.empty())
    reader.problem("value", "is of no header; add header = \"NAME\"");
  if (table.empty())
    reader.problem("header", "is missing: a rule without a condition would take every call");
  parse.config.human_facing.push_back(std::move(rule));
}

void read_access(const toml::table& table, Parse& parse) {
  TableReader reader(table, "access", parse.problems);
  AccessConfig& access = parse.config.access;
  bool required = false;
  reader.boolean("required", required);
  if (reader.has("required")) access.required = required;
  reader.boolean("signed_only", access.signed_only);
}

void read_admin(const toml::table& table, Parse& parse) {
  TableReader reader(table, "admin", parse.problems);
  AdminConfig& admin = parse.config.admin;
  Endpoint listen;
  read_endpoint(reader, "listen", listen);
  if (!reader.has("listen"))
    reader.problem("listen", "is missing; write listen = \"127.0.0.1:8081\"");
  admin.listen = listen;
  read_tls(reader, admin.tls);
  reader.boolean("allow_plain_http", admin.allow_plain_http);
  if (!listen.loopback() && !admin.tls.on() && !admin.allow_plain_http) {
    reader.problem("listen",
                   "would send tokens in clear over the network; give certificate and "
                   "key, listen on 127.0.0.1, or set allow_plain_http = true");
  }
}

void read_telemetry(const toml::table& table, Parse& parse) {
  TableReader reader(table, "telemetry", parse.problems);
  TelemetryConfig& telemetry = parse.config.telemetry;
  reader.text("otlp_endpoint", telemetry.otlp_endpoint);
  if (const auto problem = url_problem(telemetry.otlp_endpoint);
      !telemetry.otlp_endpoint.empty() && !problem.empty())
    reader.problem("otlp_endpoint", problem);
  reader.text("otlp_headers_env", telemetry.otlp_headers_env);
  reader.text("service_name", telemetry.service_name);
  reader.share("sample_ratio", telemetry.sample_ratio);
}

}  // namespace understudy::live
