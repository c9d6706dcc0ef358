#include "steps/s2_curate/surrogate/date_surrogates.hpp"

#include <array>
#include <chrono>
#include <format>
#include <optional>
#include <vector>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/surrogate/keyed_stream.hpp"

namespace understudy::s2 {

namespace {

constexpr std::uint32_t days_max = 180;  // either way, never none

struct Group {
  std::size_t begin = 0;
  std::size_t bytes = 0;
  int value = 0;
};

std::vector<Group> digit_groups(std::string_view text) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    int value = 0;
    while (end < text.size() && is_digit(text[end]) && end - i < 4)
      value = value * 10 + text[end++] - '0';
    if (end > i) groups.push_back({.begin = i, .bytes = end - i, .value = value});
    i = end > i ? end : i + 1;
  }
  return groups;
}

// Which of the first three groups is what: year first, or last; of the others day first where it
// cannot be a month.
struct Order {
  std::size_t year = 0, month = 0, day = 0;
};

std::optional<Order> order_of(const std::vector<Group>& groups) {
  if (groups.size() < 3) return std::nullopt;
  if (groups[0].bytes == 4) return Order{.year = 0, .month = 1, .day = 2};
  if (groups[2].bytes != 4) return std::nullopt;
  if (groups[0].value > 12) return Order{.year = 2, .month = 1, .day = 0};
  return Order{.year = 2, .month = 0, .day = 1};
}

void put(std::string& out, const Group& group, int value) {
  const std::string digits = std::format("{:0{}}", value, group.bytes);
  if (digits.size() == group.bytes) out.replace(group.begin, group.bytes, digits);
}

}  // namespace

std::string DateSurrogates::write(std::string_view date, Scope scope) const {
  KeyedStream stream(key_, std::format("dates@{:016x}", scope));
  const int days = static_cast<int>(1 + stream.below(days_max)) * (stream.below(2) == 0 ? 1 : -1);
  const int years = static_cast<int>(1 + stream.below(5)) * (days > 0 ? 1 : -1);
  std::string out(date);
  const std::vector<Group> groups = digit_groups(date);
  if (const auto order = order_of(groups)) {
    using namespace std::chrono;
    const year_month_day before{year(groups[order->year].value),
                                month(static_cast<unsigned>(groups[order->month].value)),
                                day(static_cast<unsigned>(groups[order->day].value))};
    if (before.ok()) {
      const year_month_day after(sys_days(before) + std::chrono::days(days));
      put(out, groups[order->year], static_cast<int>(after.year()));
      // A group of one digit holds no month above nine: its place grows from the back.
      for (const auto& [at, value] :
           {std::pair(std::max(order->month, order->day), order->month > order->day
                                                              ? static_cast<unsigned>(after.month())
                                                              : static_cast<unsigned>(after.day())),
            std::pair(std::min(order->month, order->day),
                      order->month > order->day ? static_cast<unsigned>(after.day())
                                                : static_cast<unsigned>(after.month()))}) {
        const Group& group = groups[at];
        out.replace(group.begin, group.bytes, std::format("{:0{}}", value, group.bytes));
      }
      return out;
    }
  }
  for (const Group& group : groups) {
    if (group.bytes == 4) put(out, group, group.value + years);
  }
  return out;
}

}  // namespace understudy::s2
