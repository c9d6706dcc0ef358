#include "base/figures.hpp"

#include <format>

namespace understudy {

std::string percent(double share) { return std::format("{:.1f} %", 100 * share); }

std::string thousands(std::int64_t number) {
  std::string text = std::to_string(number);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  for (std::size_t i = text.size(); i > first + 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string gibibytes(double bytes) {
  constexpr double gib = 1024.0 * 1024 * 1024;
  return std::format("{:.2f} GiB", bytes / gib);
}

}  // namespace understudy
