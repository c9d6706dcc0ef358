#include "adapters/lm/symbols.hpp"

#include <algorithm>

namespace understudy::lm::symbols {

namespace {

constexpr std::string_view opening = "<|";
constexpr std::string_view closing = "|>";
constexpr std::string_view pointer_opening = "<|p:";
constexpr std::size_t symbol_bytes_max = 64;

}  // namespace

std::string pointer(std::string_view shape, std::size_t number) {
  return std::string(pointer_opening) + std::string(shape) + ":" + std::to_string(number) +
         std::string(closing);
}

std::size_t length_at(std::string_view text) {
  if (!text.starts_with(opening)) return 0;
  const std::size_t end = text.substr(0, symbol_bytes_max).find(closing, opening.size());
  if (end == std::string_view::npos) return 0;
  const std::string_view symbol = text.substr(0, end + closing.size());
  const bool known = symbol == slot || symbol == answer || symbol.starts_with(pointer_opening);
  return known ? symbol.size() : 0;
}

bool any_in(std::string_view text) {
  for (std::size_t at = text.find(opening); at != std::string_view::npos;
       at = text.find(opening, at + 1)) {
    const std::size_t length = length_at(text.substr(at));
    if (length != 0 && text.substr(at, length) != slot) return true;
  }
  return false;
}

bool any_forged(std::span<const std::string> slots) {
  return std::ranges::any_of(
      slots, [](const std::string& text) { return any_in(text) || text.contains(slot); });
}

}  // namespace understudy::lm::symbols
