// Does an answer call the tools as the request offers them? The part of JSON Schema that tool
// definitions use: type, enum, const, required, properties, additionalProperties, items, anyOf,
// oneOf, allOf, local $ref; what is unknown allows everything. Pure.
#pragma once

#include "base/json.hpp"
#include "records/answer.hpp"

namespace understudy::s2 {

bool fits_schema(const json::value& instance, const json::value& schema);

// True for an answer without tool calls, and for requests that offer no tools.
bool fits_tools(const json::value& request, const Answer& answer);

}  // namespace understudy::s2
