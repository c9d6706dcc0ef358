// The symbols that small models read and write beside plain text. Each is one token of every nano
// vocabulary. Text that holds one of them literally is refused, so that nobody can forge a slot
// border or a pointer. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::lm::symbols {

inline constexpr std::string_view slot = "<|slot|>";      // between two slots
inline constexpr std::string_view answer = "<|answer|>";  // what follows is the model's

std::string pointer(std::size_t number);                            // "<|p7|>"
std::optional<std::size_t> parse_pointer(std::string_view symbol);  // of a whole symbol
std::string shape(std::string_view shape);                          // "<|s:A-0|>"
inline constexpr std::string_view shape_of_another_kind = "<|s:?|>";

// The length of the symbol that `text` begins with, or 0. `<|slot|>` counts.
std::size_t length_at(std::string_view text);
bool any_in(std::string_view text);  // some symbol other than `slot`

}  // namespace understudy::lm::symbols
