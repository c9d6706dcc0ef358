#include "adapters/wire/usage.hpp"

#include <algorithm>

namespace understudy::wire {

namespace {

void replace(std::optional<std::int64_t>& count, const std::optional<std::int64_t>& later) {
  if (later) count = later;
}

// Counts of a peer: no sum of three can overflow.
std::optional<std::int64_t> read_count(JsonCursor& cursor) {
  constexpr std::int64_t tokens_max = std::int64_t{1} << 50;
  const auto count = cursor.integer();
  if (!count) return std::nullopt;
  return std::clamp<std::int64_t>(*count, 0, tokens_max);
}

}  // namespace

void UsageCounts::merge(const UsageCounts& later) {
  replace(prompt, later.prompt);
  replace(completion, later.completion);
  replace(cached, later.cached);
  replace(cache_read, later.cache_read);
  replace(cache_creation, later.cache_creation);
}

Usage UsageCounts::total() const {
  const std::int64_t read = cache_read.value_or(0);
  return {.prompt_tokens = prompt.value_or(0) + read + cache_creation.value_or(0),
          .completion_tokens = completion.value_or(0),
          .cached_prompt_tokens = cached.value_or(read)};
}

std::optional<UsageCounts> read_usage(JsonCursor& cursor) {
  UsageCounts counts;
  const bool is_object = cursor.each_member([&](std::string_view key) {
    if (key == "prompt_tokens" || key == "input_tokens") {
      counts.prompt = read_count(cursor);
    } else if (key == "completion_tokens" || key == "output_tokens") {
      counts.completion = read_count(cursor);
    } else if (key == "cache_read_input_tokens") {
      counts.cache_read = read_count(cursor);
    } else if (key == "cache_creation_input_tokens") {
      counts.cache_creation = read_count(cursor);
    } else if (key == "prompt_tokens_details" || key == "input_tokens_details") {
      cursor.each_member([&](std::string_view name) {
        if (name == "cached_tokens") counts.cached = read_count(cursor);
      });
    }
  });
  if (!is_object) {
    cursor.skip();
    return std::nullopt;
  }
  return counts;
}

}  // namespace understudy::wire
