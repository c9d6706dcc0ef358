#include "steps/s2_curate/filters.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "quality/valid_answer.hpp"
#include "steps/s2_curate/chat_call.hpp"
#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t repetitions_max = 2;      // a third one in a row is a loop
constexpr std::size_t refusal_bytes_max = 600;  // a longer answer has something to say
constexpr std::size_t refusal_opening_bytes = 160;

// How models begin to decline, in lower case with plain apostrophes; the second part must follow.
constexpr auto apologies = std::to_array<std::string_view>(
    {"i'm sorry", "i am sorry", "sorry,", "i apologize", "unfortunately", "i'm afraid", "as an ai",
     "i'm unable", "i am unable", "i cannot", "i can't"});
constexpr auto refusals = std::to_array<std::string_view>(
    {"i can't help",          "i cannot help",        "i can't assist",
     "i cannot assist",       "can't assist with",    "cannot assist with",
     "i can't fulfill",       "i cannot fulfill",     "can't comply",
     "cannot comply",         "i'm unable to assist", "i am unable to assist",
     "i'm unable to help",    "i'm not able to help", "as an ai language model",
     "i can't provide",       "i cannot provide",     "can't create content",
     "against my guidelines", "can't discuss"});

bool is_refusal(std::string_view answer) {
  if (answer.size() > refusal_bytes_max) return false;
  std::string opening = lower_ascii(answer.substr(0, refusal_opening_bytes));
  for (std::size_t at; (at = opening.find("\xe2\x80\x99")) != std::string::npos;)
    opening.replace(at, 3, "'");
  const auto stands_in = [&](std::string_view phrase) { return opening.contains(phrase); };
  return std::ranges::any_of(apologies, stands_in) && std::ranges::any_of(refusals, stands_in);
}

std::string canonical(std::string_view name, std::string_view arguments) {
  const auto tree = json::parse(arguments);
  return std::string(name) + " " + (tree ? json::to_canonical(*tree) : std::string(arguments));
}

std::string canonical_calls(const Answer& answer) {
  std::string out;
  for (const ToolCall& call : answer.tool_calls) out += canonical(call.name, call.arguments) + "\n";
  return out;
}

std::string canonical_calls(const json::value& message) {
  std::string out;
  const json::array* calls = json::find_array(message, "tool_calls");
  if (calls == nullptr) return out;
  for (const json::value& call : *calls) {
    if (const json::value* function = json::find(call, "function"))
      out +=
          canonical(json::string_or(*function, "name"), json::string_or(*function, "arguments")) +
          "\n";
  }
  return out;
}

// Do the answers before this one call the same tools with the same arguments, again and again?
bool is_loop(const json::value& request, const Answer& answer) {
  const json::array* messages = json::find_array(request, "messages");
  if (answer.tool_calls.empty() || messages == nullptr) return false;
  const std::string last = canonical_calls(answer);
  std::size_t repetitions = 0;
  for (std::size_t i = messages->size(); i > 0; --i) {
    const json::value& message = (*messages)[i - 1];
    if (json::string_or(message, "role") != "assistant") continue;
    if (canonical_calls(message) != last) return false;
    if (++repetitions == repetitions_max) return true;
  }
  return false;
}

bool asks_for_json(const json::value& request) {
  const json::value* format = json::find(request, "response_format");
  return format != nullptr && json::string_or(*format, "type").starts_with("json_");
}

}  // namespace

std::string_view to_string(DropReason reason) {
  constexpr auto names = std::to_array<std::string_view>({"none",
                                                          "served_by_slm",
                                                          "human_facing",
                                                          "training_not_allowed",
                                                          "other_api",
                                                          "upstream_error",
                                                          "truncated",
                                                          "cancelled",
                                                          "failed",
                                                          "content_filter",
                                                          "failed_session",
                                                          "no_answer",
                                                          "unparsable",
                                                          "refusal",
                                                          "loop",
                                                          "bad_tool_call",
                                                          "unparsable_output",
                                                          "pii_dropped",
                                                          "pii_left",
                                                          "surrogate_broke_schema",
                                                          "contaminated",
                                                          "over_cap",
                                                          "erased"});
  static_assert(names.size() == drop_reason_count, "a name for every reason");
  return names[static_cast<std::size_t>(reason)];
}

DropReason reason_to_drop(const Call& call, const FilterOptions& options) {
  using enum DropReason;
  if (call.route.server == Server::slm) return served_by_slm;  // a model must not teach itself
  if (call.human_facing) return human_facing;
  if (!call.training_allowed) return training_not_allowed;
  if (!has_chat_form(call.api)) return other_api;
  switch (call.status) {
    case CallStatus::ok: break;
    case CallStatus::upstream_error: return upstream_error;
    case CallStatus::truncated: return truncated;
    case CallStatus::cancelled: return cancelled;
    case CallStatus::failed: return call.response.empty() ? no_answer : failed;
  }
  if (call.http_status >= 400) return upstream_error;
  if (call.finish_reason == "length") return truncated;
  if (call.finish_reason == "content_filter") return content_filter;
  if (call.response.empty()) return no_answer;
  if (options.reward_above && call.reward && *call.reward <= *options.reward_above)
    return failed_session;
  return none;
}

DropReason reason_to_drop(const json::value& request, const Answer& answer,
                          const FilterOptions& options) {
  using enum DropReason;
  if (answer.empty()) return no_answer;
  if (options.drop_refusals && answer.tool_calls.empty() && is_refusal(answer.text)) return refusal;
  if (!quality::fits_tools(answer, quality::answer_shape(request))) return bad_tool_call;
  if (is_loop(request, answer)) return loop;
  if (answer.tool_calls.empty() && asks_for_json(request) && !json::parse(answer.text))
    return unparsable_output;
  return none;
}

}  // namespace understudy::s2
