// Does a value fit a JSON Schema, as requests carry them for tools and answers? The part that such
// schemas use: type, enum, const, required, properties, additionalProperties, items, bounds of
// numbers, lengths and counts, anyOf, oneOf, allOf, local $ref; what is unknown allows everything.
// Schemas come from clients, so the work is bounded in depth and in steps (a packaged validator
// would follow {"$ref":"#"} until the stack ends, and a "pattern" for as long as it likes). Pure.
#pragma once

#include "base/json.hpp"

namespace understudy::quality {

// True also where the schema is no schema, or asks for more work than the bound.
bool fits_schema(const json::value& instance, const json::value& schema);

}  // namespace understudy::quality
