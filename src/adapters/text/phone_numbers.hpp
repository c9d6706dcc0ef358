// Is this a telephone number, and which (libphonenumber)? Knows numbering plans, not contexts: a
// ten-digit order number is a possible US number as well. Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace understudy::text {

struct PhoneNumber {
  int country_code = 0;
  std::string national;  // significant digits, without trunk prefix and leading zeros
  bool valid = false;    // assigned in its country's plan; else only of a possible length
};

// `region` ("US") reads a number without a leading "+"; with an empty region only the
// international form is read. Absent: no possible number.
std::optional<PhoneNumber> parse_phone_number(std::string_view text, std::string_view region = {});

}  // namespace understudy::text
