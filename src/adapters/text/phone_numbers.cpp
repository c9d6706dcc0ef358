#include "adapters/text/phone_numbers.hpp"

#include <phonenumbers/phonenumberutil.h>

namespace understudy::text {

std::optional<PhoneNumber> parse_phone_number(std::string_view text, std::string_view region) {
  namespace lib = i18n::phonenumbers;
  const lib::PhoneNumberUtil& util = *lib::PhoneNumberUtil::GetInstance();
  lib::PhoneNumber number;
  const std::string assumed = region.empty() ? "ZZ" : std::string(region);  // ZZ: unknown
  if (util.Parse(std::string(text), assumed, &number) != lib::PhoneNumberUtil::NO_PARSING_ERROR)
    return std::nullopt;
  const bool valid = util.IsValidNumber(number);
  if (!valid && !util.IsPossibleNumber(number)) return std::nullopt;
  return PhoneNumber{.country_code = number.country_code(),
                     .national = std::to_string(number.national_number()),
                     .valid = valid};
}

}  // namespace understudy::text
