// Why a recorded call is no teaching material. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "records/answer.hpp"
#include "records/call.hpp"

namespace understudy::s2 {

enum class DropReason : std::uint8_t {
  none,
  served_by_slm,
  human_facing,
  training_not_allowed,
  other_api,
  upstream_error,
  truncated,
  cancelled,
  failed,
  content_filter,
  failed_session,  // a reward or feedback says that it did not work
  // Only a look at the content can give these.
  no_answer,
  unparsable,         // the request or response is not what its API sends
  refusal,            // "I'm sorry, but I can't ..."
  loop,               // the third time in a row the same tool call
  bad_tool_call,      // a tool that was not offered, or arguments that break its schema
  unparsable_output,  // JSON was asked for
  pii_dropped,        // a type whose action is to drop
  pii_left,           // the re-scan found an original value
  surrogate_broke_schema,
  contaminated,  // says what a held-out call says
  over_cap,      // more near-duplicates, or calls of the task, than asked for
  erased,        // the content vanished while it was read
  count_,
};

inline constexpr std::size_t drop_reason_count = static_cast<std::size_t>(DropReason::count_);
std::string_view to_string(DropReason reason);

struct FilterOptions {
  // A call with a reward is used from this one on, without one always; absent: rewards do not
  // count.
  std::optional<double> reward_above = 0.0;
  bool drop_refusals = true;
};

// From its metadata alone.
DropReason reason_to_drop(const Call& call, const FilterOptions& options);

// From its content, as a chat completion.
DropReason reason_to_drop(const json::value& request, const Answer& answer,
                          const FilterOptions& options);

}  // namespace understudy::s2
