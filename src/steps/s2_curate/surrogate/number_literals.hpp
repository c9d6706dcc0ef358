// Numbers as they stand in texts: amounts, counts, measures. No number here is what is a part of a
// word, an id, a date, a time, a version or a share in percent, a year, or below ten. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::s2 {

using ScaledNumber = std::int64_t;  // in ten-thousandths: exact for four decimals

struct NumberLiteral {
  std::size_t begin = 0;  // bytes [begin, end) of the text, without a sign
  std::size_t end = 0;
  ScaledNumber value = 0;
  std::size_t decimals = 0;  // as written
  bool grouped = false;      // "1,250"
};

std::vector<NumberLiteral> numbers_in(std::string_view text);

// `value` times factor_e4 / 10,000, with as many decimals as the value needs.
ScaledNumber scaled(ScaledNumber value, std::uint32_t factor_e4);

// In the writing of `like`.
std::string written_as(ScaledNumber value, const NumberLiteral& like);

}  // namespace understudy::s2
