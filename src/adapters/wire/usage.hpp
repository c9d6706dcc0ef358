// Token counts as the APIs spell them, read into the record's Usage. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "adapters/wire/json_cursor.hpp"
#include "records/call.hpp"

namespace understudy::wire {

// A usage object, of any API. Anthropic's counts are cumulative over a stream, and a later event
// repeats only some of them: merge() takes what the later one has and never adds.
struct UsageCounts {
  std::optional<std::int64_t> prompt;      // prompt_tokens, input_tokens
  std::optional<std::int64_t> completion;  // completion_tokens, output_tokens
  std::optional<std::int64_t> cached;      // *_tokens_details.cached_tokens: a part of `prompt`
  // Anthropic counts these beside its input_tokens.
  std::optional<std::int64_t> cache_read;
  std::optional<std::int64_t> cache_creation;

  void merge(const UsageCounts& later);
  // OpenTelemetry's reading: tokens from a cache are part of the prompt's tokens.
  [[nodiscard]] Usage total() const;
};

// Nothing where the next value is no object (null); it is read all the same.
std::optional<UsageCounts> read_usage(JsonCursor& cursor);

}  // namespace understudy::wire
