// Why a recorded call is no teaching material. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "records/call.hpp"

namespace understudy::s2 {

// The reason by which a call is dropped, from its metadata alone; nothing for a call to learn from.
std::optional<std::string_view> reason_to_drop(const Call& call);

// Reasons that only a look at the content can give.
inline constexpr std::string_view dropped_unparsable = "unparsable";
inline constexpr std::string_view dropped_no_answer = "no_answer";
inline constexpr std::string_view dropped_pii_left = "pii_left";

}  // namespace understudy::s2
