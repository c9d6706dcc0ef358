#include "live/upstreams/retry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

namespace understudy::live {

namespace {

constexpr std::int64_t thousandths = 1'000;
constexpr std::int64_t balance_max = 20 * thousandths;  // a burst after a quiet time
constexpr double seconds_max = 86'400;                  // a day: nobody waits longer

// A number that is not below 0, with nothing behind it.
std::optional<double> amount_of(std::string_view text) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || end != text.data() + text.size() || !(amount >= 0))
    return std::nullopt;
  return amount;
}

}  // namespace

RetryBudget::RetryBudget(double ratio)
    : earned_(std::llround(std::clamp(ratio, 0.0, 10.0) * static_cast<double>(thousandths))),
      balance_(earned_ > 0 ? balance_max : 0) {}

void RetryBudget::earn() {
  // Not exact when threads race for the last step below the maximum; a budget need not be.
  if (balance_.load(std::memory_order_relaxed) < balance_max)
    balance_.fetch_add(earned_, std::memory_order_relaxed);
}

bool RetryBudget::spend() {
  std::int64_t balance = balance_.load(std::memory_order_relaxed);
  while (balance >= thousandths) {
    if (balance_.compare_exchange_weak(balance, balance - thousandths, std::memory_order_relaxed))
      return true;
  }
  return false;
}

std::chrono::milliseconds backoff_of(const RetryConfig& config, int retry, double random) {
  const int doublings = std::clamp(retry - 1, 0, 20);
  const std::chrono::milliseconds whole =
      std::min(config.backoff_max, config.backoff * (std::int64_t{1} << doublings));
  return std::chrono::milliseconds(
      std::llround(static_cast<double>(whole.count()) * (0.5 + random / 2)));
}

std::optional<std::chrono::milliseconds> parse_retry_after_ms(std::string_view value) {
  const auto ms = amount_of(value);
  if (!ms) return std::nullopt;
  return std::chrono::milliseconds(std::llround(std::min(*ms, seconds_max * 1'000)));
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, UnixMicros now) {
  if (const auto seconds = amount_of(value))
    return std::chrono::milliseconds(std::llround(std::min(*seconds, seconds_max) * 1'000));
  std::tm parts{};
  const std::string text(value);
  const char* rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  const std::int64_t at_ms = static_cast<std::int64_t>(::timegm(&parts)) * 1'000;
  const std::int64_t wait_ms = std::max<std::int64_t>(at_ms - now.value / 1'000, 0);
  return std::chrono::milliseconds(
      std::min(wait_ms, static_cast<std::int64_t>(seconds_max) * 1'000));
}

}  // namespace understudy::live
