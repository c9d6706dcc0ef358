// Whether two JSON values say the same: objects without order, numbers within a tolerance, and,
// where a JSON schema is known, what the schema makes equal: a number that is written as a string
// for a property of type number, a property that is left out and one with its default, arrays of
// unique items in any order. Pure.
#pragma once

#include "base/json.hpp"

namespace understudy::quality {

// Numbers a and b are equal within this share of the larger one.
inline constexpr double number_tolerance = 1e-6;

// `schema`: of these values; null where it is not known.
bool same_json(const json::value& left, const json::value& right, const json::value* schema);

}  // namespace understudy::quality
