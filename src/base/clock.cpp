#include "base/clock.hpp"

#include <chrono>
#include <cstdio>

namespace understudy {

namespace {

std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Reads exactly `width` digits at the front of `text` and removes them.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t take_fraction_us(std::string_view& text) {
  std::int64_t micros = 0;
  std::int64_t unit = 100'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    micros += (text.front() - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return micros;
}

}  // namespace

UnixMicros now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

std::string to_iso8601(UnixMicros time) {
  const std::chrono::sys_time<std::chrono::microseconds> point{
      std::chrono::microseconds{time.value}};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{point - day};
  char text[40];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

std::optional<UnixMicros> parse_iso8601(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, "T ")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::int64_t fraction_us = take(text, ".,") ? take_fraction_us(text) : 0;

  std::int64_t offset_minutes = 0;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    const auto offset_hours = take_digits(text, 2);
    if (!offset_hours) return std::nullopt;
    take(text, ":");
    const auto rest = text.empty() ? std::optional<int>{0} : take_digits(text, 2);
    if (!rest) return std::nullopt;
    offset_minutes = sign * (*offset_hours * 60 + *rest);
  } else {
    take(text, "Z");
  }
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!text.empty() || !date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t minutes = days * 1440 + *hour * 60 + *minute - offset_minutes;
  return UnixMicros{(minutes * 60 + *second) * 1'000'000 + fraction_us};
}

Stopwatch::Stopwatch() : started_ns_(steady_ns()) {}
std::int64_t Stopwatch::elapsed_ns() const { return steady_ns() - started_ns_; }
std::int64_t Stopwatch::elapsed_us() const { return (steady_ns() - started_ns_) / 1000; }
double Stopwatch::elapsed_s() const {
  return static_cast<double>(steady_ns() - started_ns_) * 1e-9;
}

}  // namespace understudy
