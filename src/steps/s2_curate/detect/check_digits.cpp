#include "steps/s2_curate/detect/check_digits.hpp"

#include <algorithm>
#include <array>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

// The dihedral group of order 10 and the permutation of J. Verhoeff's 1969 thesis.
constexpr std::array<std::string_view, 10> verhoeff_product = {
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210"};
constexpr std::array<std::string_view, 8> verhoeff_permutation = {
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258"};

}  // namespace

int weighted_sum(std::string_view digits, std::span<const int> weights) {
  int sum = 0;
  for (std::size_t i = 0; i < std::min(digits.size(), weights.size()); ++i)
    sum += digit(digits[i]) * weights[i];
  return sum;
}

bool passes_verhoeff(std::string_view digits) {
  std::size_t check = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto number = static_cast<std::size_t>(digit(digits[digits.size() - 1 - i]));
    const auto permuted = static_cast<std::size_t>(digit(verhoeff_permutation[i % 8][number]));
    check = static_cast<std::size_t>(digit(verhoeff_product[check][permuted]));
  }
  return check == 0;
}

bool passes_iso7064_mod11_10(std::string_view digits) {
  int product = 10;
  for (const char c : digits.substr(0, digits.size() - 1)) {
    const int sum = (product + digit(c)) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return (11 - product) % 10 == digit(digits.back());
}

int icao_check_digit(std::string_view text) {
  constexpr std::array weights = {7, 3, 1};
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    sum += (is_digit(text[i]) ? digit(text[i]) : text[i] - 'A' + 10) * weights[i % 3];
  return sum % 10;
}

bool are_all_equal(std::string_view text) {
  return std::ranges::all_of(text, [&](char c) { return c == text.front(); });
}

bool is_day_month(std::string_view day_month) {
  const int day = digit(day_month[0]) * 10 + digit(day_month[1]);
  const int month = digit(day_month[2]) * 10 + digit(day_month[3]);
  constexpr std::array days = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= days[static_cast<std::size_t>(month - 1)];
}

}  // namespace understudy::s2
