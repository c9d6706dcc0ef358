// A request as a conversation: which of its items the model said and what stood before them, so
// that a later call can be joined to the one that it goes on from. Chains are seeded hashes that
// live in memory only. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/api.hpp"
#include "adapters/wire/request_scan.hpp"

namespace understudy::s1 {

// An answer of the model inside a request: items [begin, end).
struct ModelTurn {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t chain = 0;  // of the items in front of it
};

struct Conversation {
  std::vector<ModelTurn> turns;  // in order
  std::uint64_t chain = 0;       // of all items
  std::uint64_t system = 0;      // of the system prompts
  std::uint64_t opening = 0;     // of the system prompts and the first item behind them
};

// System prompts are no part of a chain: some agents change theirs with each call. Neither is
// Anthropic's cache_control, which moves to the last message each time.
Conversation read_conversation(wire::Api api, const wire::RequestScan& scan, std::string_view body,
                               std::uint64_t seed);

// wire::AnswerMark::words() of the answer that a request repeats.
std::string words_of_turn(wire::Api api, const wire::RequestScan& scan, std::string_view body,
                          const ModelTurn& turn);

// A number as the text that is hashed; a view of it.
std::string_view bytes_of(const std::uint64_t& number);
std::uint64_t chained(std::uint64_t before, std::string_view text);

}  // namespace understudy::s1
