#include "steps/s1_capture/call_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/clock.hpp"
#include "steps/s1_capture/request_text.hpp"

namespace understudy::s1 {

namespace {

constexpr double micros_per_second = 1e6;
constexpr double epoch_seconds_max = 1e11;  // later than the year 5000: it was milliseconds
constexpr std::int64_t request_us_max = 3'600 * std::int64_t{1'000'000};
constexpr std::size_t bytes_per_token = 4;  // of English text under the usual tokenizers

constexpr std::string_view record_hint =
    "each line is a JSON object with \"request\":{\"messages\":[...]} and \"response\"; fix or "
    "remove this line";

// What the providers call the ends that OpenAI calls stop, length and tool_calls.
constexpr std::array finish_names = {std::pair{"end_turn", "stop"},
                                     std::pair{"stop_sequence", "stop"},
                                     std::pair{"STOP", "stop"},
                                     std::pair{"completed", "stop"},
                                     std::pair{"complete", "stop"},
                                     std::pair{"max_tokens", "length"},
                                     std::pair{"MAX_TOKENS", "length"},
                                     std::pair{"tool_use", "tool_calls"},
                                     std::pair{"function_call", "tool_calls"}};

// Where recorders put the name of an agent run; the first one present counts.
constexpr std::array session_fields = {"session",  "session_id",      "run",    "run_id",
                                       "trace_id", "conversation_id", "project"};

std::string scalar_text(const json::value& tree, std::string_view key) {
  const json::value* found = json::find(tree, key);
  if (found == nullptr) return {};
  if (found->is_string()) return std::string(found->get_string());
  if (found->is_int64() || found->is_uint64()) return json::to_text(*found);
  return {};
}

UnixMicros time_of(const json::value& tree, std::string_view key) {
  if (const auto text = json::find_string(tree, key)) {
    return parse_iso8601(*text).value_or(UnixMicros{});
  }
  double seconds = json::find_number(tree, key).value_or(0);
  if (!std::isfinite(seconds) || seconds <= 0) return {};
  while (seconds > epoch_seconds_max) seconds /= 1'000;
  return {static_cast<std::int64_t>(seconds * micros_per_second)};
}

// When the call began and ended, as far as the record says so.
void read_times(const json::value& record, const json::value& meta, Call& call) {
  const UnixMicros stamp = time_of(record, "timestamp");
  if (!stamp.known()) return;
  call.started_at = call.ended_at = stamp;
  const UnixMicros requested = time_of(meta, "requested_at");
  if (requested.known() && requested <= stamp && stamp.value - requested.value < request_us_max) {
    call.started_at = requested;
  } else {
    const std::string text = scalar_text(meta, "processing_ms");
    std::int64_t processing_ms = 0;
    std::from_chars(text.data(), text.data() + text.size(), processing_ms);
    if (processing_ms > 0 && processing_ms < request_us_max / 1'000) {
      call.ended_at.value += processing_ms * 1'000;
    }
  }
  call.first_byte_at = call.ended_at;
}

std::string session_text(const json::value& record, const json::value& meta) {
  for (const json::value* tree : {&record, &meta}) {
    for (const char* field : session_fields) {
      if (std::string text = scalar_text(*tree, field); !text.empty()) return text;
    }
  }
  const std::string trial =
      scalar_text(meta, "trial");  // tau-bench: a task is played several times
  const std::string task = scalar_text(meta, "task_id");
  return trial.empty() || task.empty() ? std::string() : task + "/" + trial;
}

SessionId session_of(const json::value& record, const json::value& meta, UnixMicros started_at,
                     const Pseudonyms& pseudonyms) {
  std::string text = session_text(record, meta);
  if (text.empty()) return pseudonyms.session_of(record.get_object().at("request"));
  if (text.find_first_not_of("0123456789/") != std::string::npos) return {std::move(text)};
  // A bare number counts from zero in every source, and often every day.
  std::string prefix = json::string_or(record, "source", "import") + ":";
  if (started_at.known()) prefix += to_iso8601(started_at).substr(0, 10) + ":";
  return {prefix + text};
}

Usage usage_of(const json::value& response) {
  const json::value* usage = json::find(response, "usage");
  if (usage == nullptr) return {};
  const auto count = [&](std::string_view openai, std::string_view anthropic) {
    auto tokens = json::find_integer(*usage, openai);
    if (!tokens) tokens = json::find_integer(*usage, anthropic);
    return std::max<std::int64_t>(tokens.value_or(0), 0);
  };
  return {.prompt_tokens = count("prompt_tokens", "input_tokens"),
          .completion_tokens = count("completion_tokens", "output_tokens")};
}

std::string finish_reason_of(const json::value& response) {
  const json::array* choices = json::find_array(response, "choices");
  if (choices == nullptr || choices->empty()) return {};
  std::string reason = json::string_or(choices->front(), "finish_reason");
  for (const auto& [theirs, ours] : finish_names) {
    if (reason == theirs) return ours;
  }
  return reason;
}

void read_response(const json::value& record, Call& call) {
  const json::value* response = json::find(record, "response");
  if (response == nullptr) {
    call.status = CallStatus::failed;
    call.error = "no_response";
    return;
  }
  call.response = SecretText(json::to_text(*response));
  call.served_model = json::string_or(*response, "model", call.requested_model);
  call.finish_reason = finish_reason_of(*response);
  call.usage = usage_of(*response);
  if (call.finish_reason == "length") call.status = CallStatus::truncated;
  if (const json::value* error = json::find(*response, "error")) {
    call.status = CallStatus::upstream_error;
    call.error = json::string_or(*error, "type", "error");
  }
}

void estimate_usage(Call& call) {
  if (call.usage.prompt_tokens > 0 || call.usage.completion_tokens > 0) return;
  const auto tokens = [](const SecretText& text) {
    return static_cast<std::int64_t>(text.reveal().size() / bytes_per_token);
  };
  call.usage = {.prompt_tokens = tokens(call.request),
                .completion_tokens = tokens(call.response),
                .estimated = true};
}

Status check_messages(const json::value& request) {
  const json::array* messages = json::find_array(request, "messages");
  if (messages == nullptr || messages->empty()) {
    return fail(ErrorCode::invalid_input, "the request has no messages", std::string(record_hint));
  }
  for (const json::value& message : *messages) {
    if (!json::find_string(message, "role")) {
      return fail(ErrorCode::invalid_input, "a message has no role", std::string(record_hint));
    }
  }
  return {};
}

}  // namespace

Result<Call> read_call_line(std::string_view line, std::string_view file_name,
                            const Pseudonyms& pseudonyms) {
  Result<json::value> record = json::parse(line);
  if (!record) return fail(record.error().code, record.error().message, std::string(record_hint));
  if (!record->is_object()) {
    return fail(ErrorCode::invalid_input, "not a JSON object", std::string(record_hint));
  }
  if (json::find_object(*record, "request") == nullptr) {
    return fail(ErrorCode::invalid_input, "there is no request", std::string(record_hint));
  }
  const json::value& request = record->get_object().at("request");
  TRY(check_messages(request));
  const json::value* found_meta = json::find(*record, "meta");
  const json::value meta = found_meta != nullptr ? *found_meta : json::value();

  Call call;
  call.id = {scalar_text(*record, "id")};
  if (call.id.empty()) call.id = {make_uuid7()};
  call.source = "import:" + std::string(file_name);
  const std::string workload = scalar_text(*record, "workload_id");
  if (!workload.empty()) call.source += "/" + workload;
  call.origin.tenant = pseudonyms.of("tenant", scalar_text(*record, "client_id"));
  call.origin.user = pseudonyms.of("user", scalar_text(request, "user"));
  read_times(*record, meta, call);
  call.session = session_of(*record, meta, call.started_at, pseudonyms);
  call.requested_model = json::string_or(request, "model");
  call.route.reason = "imported";
  RequestText text = to_request_text(request);
  call.request = std::move(text.text);
  call.repeated = std::move(text.repeated);
  read_response(*record, call);
  estimate_usage(call);
  call.reward = json::find_number(meta, "reward");
  call.cost_usd = json::find_number(meta, "cost_usd");
  return call;
}

}  // namespace understudy::s1
