#include <array>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/check_digits.hpp"
#include "steps/s2_curate/detect/id_rules.hpp"

namespace understudy::s2 {

namespace {

using enum EntityType;

constexpr Verdict verdict(bool valid) { return valid ? Verdict::yes : Verdict::no; }
Verdict any(std::string_view) { return Verdict::yes; }

Verdict nhs(std::string_view c) {
  constexpr std::array weights = {10, 9, 8, 7, 6, 5, 4, 3, 2};
  const int check = (11 - weighted_sum(c, weights) % 11) % 11;
  return verdict(!are_all_equal(c) && check == digit(c[9]));
}

// HMRC, NIM39110: prefixes that were never given out.
Verdict nino(std::string_view c) {
  constexpr auto never =
      std::to_array<std::string_view>({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"});
  for (const std::string_view prefix : never) {
    if (c.starts_with(prefix)) return Verdict::no;
  }
  return Verdict::yes;
}

// DVLA: surname, decade, month (plus 50 for women), day, year, initials, check characters.
Verdict driving_licence(std::string_view c) {
  const int month = digit(c[6]) % 5 * 10 + digit(c[7]);
  const int day = digit(c[8]) * 10 + digit(c[9]);
  return verdict(digit(c[6]) % 5 <= 1 && month >= 1 && month <= 12 && day >= 1 && day <= 31);
}

// The age identifier: 02 to 29 in March, 51 to 79 in September.
Verdict plate_of_2001(std::string_view c) {
  const int age = digit(c[2]) * 10 + digit(c[3]);
  return verdict((age >= 2 && age <= 29) || (age >= 51 && age <= 79));
}

Verdict pps(std::string_view c) {
  constexpr std::array weights = {8, 7, 6, 5, 4, 3, 2};
  int sum = weighted_sum(c, weights);
  if (c.size() == 9 && c[8] != 'W') sum += 9 * (c[8] - 'A' + 1);
  return verdict("WABCDEFGHIJKLMNOPQRSTUV"[sum % 23] == c[7]);
}

constexpr auto rules = std::to_array<IdRule>({
    {uk_nhs, "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", nhs, 0.2, 0.9},
    {uk_nino, "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]", nino, 0.5,
     0.9},
    {uk_passport, "[A-Z]{2}[0-9]{7}", any, 0.1, 0.7},
    {uk_driving_licence, "[A-Z9]{5}[0-9]{6}[A-Z9]{2}[0-9A-Z][A-Z]{2}", driving_licence, 0.6, 0.9},
    {uk_driving_licence, "[A-Z]{2,4}9{1,3}[0-9]{6}[A-Z9]{2}[0-9A-Z][A-Z]{2}", driving_licence, 0.6,
     0.9},
    {uk_postcode,
     "(?:GIR ?0AA|[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]|[A-HK-Y][0-9][0-9A-HJKMNPR-Y]|"
     "[0-9][A-HJKPS-UW]) ?[0-9][ABD-HJLNP-UW-Z]{2})",
     any, 0.4, 0.8},
    {uk_vehicle_registration, "[A-HJ-PR-Y][A-Z][0-9]{2}[ -]?[A-HJ-PR-Z]{3}", plate_of_2001, 0.3,
     0.8},
    {uk_vehicle_registration, "[A-HJ-NPR-TV-Y][0-9]{1,3}[ -]?[A-Z]{3}", any, 0.1, 0.7},
    {uk_vehicle_registration, "[A-Z]{3}[ -]?[0-9]{1,3}[A-HJ-NPR-TV-Y]", any, 0.1, 0.7},
    {ie_pps, "[0-9]{7}[A-W][A-IW]?", pps, 0.3, 0.9},
});

}  // namespace

std::span<const IdRule> british_and_irish_ids() { return rules; }

}  // namespace understudy::s2
