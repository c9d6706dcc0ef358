// The symbols that small models read and write beside plain text. Each is one token of every nano
// vocabulary. Text that holds one of them literally is refused, so that nobody can forge a slot
// border or a pointer. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace understudy::lm::symbols {

inline constexpr std::string_view slot = "<|slot|>";      // between two slots
inline constexpr std::string_view answer = "<|answer|>";  // what follows is the model's

// Stands for the number-th value of one shape in a prompt: "<|p:A-0000:1|>".
std::string pointer(std::string_view shape, std::size_t number);

// The length of the symbol that `text` begins with, or 0. `<|slot|>` counts.
std::size_t length_at(std::string_view text);
bool any_in(std::string_view text);  // some symbol other than `slot`
// What no caller may write: any symbol, a slot border too.
bool any_forged(std::span<const std::string> slots);

}  // namespace understudy::lm::symbols
