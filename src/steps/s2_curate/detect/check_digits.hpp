// Check digits of national ids and account numbers, as their issuers publish them. Each takes the
// digits (or upper-case letters and digits) without separators, of the right length. Pure.
#pragma once

#include <span>
#include <string_view>

namespace understudy::s2 {

constexpr int digit(char c) { return c - '0'; }

// Sum of digit times weight, over the shorter of both.
int weighted_sum(std::string_view digits, std::span<const int> weights);
bool passes_verhoeff(std::string_view digits);
bool passes_iso7064_mod11_10(std::string_view digits);
// ICAO 9303: weights 7, 3, 1; letters count as 10 to 35.
int icao_check_digit(std::string_view text);
bool are_all_equal(std::string_view text);

// Is this a day that exists (any year)? `text` is DDMM.
bool is_day_month(std::string_view day_month);

}  // namespace understudy::s2
