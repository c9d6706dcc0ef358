#include <array>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/check_digits.hpp"
#include "steps/s2_curate/detect/id_rules.hpp"

namespace understudy::s2 {

namespace {

using enum EntityType;

constexpr Verdict verdict(bool valid) { return valid ? Verdict::yes : Verdict::no; }
Verdict any(std::string_view) { return Verdict::yes; }

// Letters stand for their place in the alphabet, with two digits.
std::string letters_as_digits(std::string_view compact) {
  std::string digits;
  for (const char c : compact) {
    const int place = is_letter(c) ? c - 'A' + 1 : 0;
    if (place > 0) digits += static_cast<char>('0' + place / 10);
    digits += place > 0 ? static_cast<char>('0' + place % 10) : c;
  }
  return digits;
}

int sum_of_cross_sums(std::string_view digits, std::span<const int> weights) {
  int sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const int product = digit(digits[i]) * weights[i];
    sum += product / 10 + product % 10;
  }
  return sum;
}

Verdict tax_id(std::string_view c) {
  return verdict(c[0] != '0' && !are_all_equal(c.substr(0, 10)) && passes_iso7064_mod11_10(c));
}

Verdict tax_number(std::string_view c) {
  if (c.size() != 13) return Verdict::yes;
  const int state = digit(c[0]) * 10 + digit(c[1]);
  return verdict(state >= 1 && state <= 16);
}

Verdict vat_id(std::string_view c) { return verdict(passes_iso7064_mod11_10(c.substr(2))); }

// Sozialgesetzbuch VI, section 147: area, birthday, initial, serial, check digit.
Verdict social_security(std::string_view c) {
  constexpr std::array weights = {2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1};
  const std::string digits = letters_as_digits(c);
  return verdict(is_day_month(c.substr(2, 4)) &&
                 sum_of_cross_sums(digits, weights) % 10 == digit(digits.back()));
}

Verdict health_insurance(std::string_view c) {
  constexpr std::array weights = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
  const std::string digits = letters_as_digits(c);
  return verdict(sum_of_cross_sums(digits, weights) % 10 == digit(digits.back()));
}

Verdict passport(std::string_view c) {
  return verdict(icao_check_digit(c.substr(0, 8)) == digit(c[8]));
}

// "T" and eight digits is the form before the check digit came into the number.
Verdict id_card(std::string_view c) {
  const bool old_form = c[0] == 'T' && only_digits(c).size() == 8;
  return verdict(old_form || icao_check_digit(c.substr(0, 8)) == digit(c[8]));
}

Verdict postal_code(std::string_view c) { return verdict(c > "01000" && c < "99999"); }

Verdict practice_number(std::string_view c) { return verdict(!c.starts_with("00")); }

Verdict doctor_number(std::string_view c) {
  constexpr std::array weights = {4, 9, 4, 9, 4, 9};
  return verdict((10 - weighted_sum(c, weights) % 10) % 10 == digit(c[6]));
}

constexpr auto rules = std::to_array<IdRule>({
    {de_tax_id, "[1-9][0-9]{10}", tax_id, 0.1, 0.9},
    {de_tax_id, "[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}", tax_id, 0.4, 0.9},
    {de_tax_number, "[0-9]{13}", tax_number, 0.05, 0.7},
    {de_tax_number, "[0-9]{2,3}/[0-9]{3,4}/[0-9]{4,5}", any, 0.2, 0.8},
    {de_vat_id, "DE[ .-]?[0-9]{3}[ .-]?[0-9]{3}[ .-]?[0-9]{3}", vat_id, 0.6, 0.9, true},
    {de_social_security, "[0-9]{2} ?[0-9]{6} ?[A-Z] ?[0-9]{3}", social_security, 0.5, 0.9},
    {de_health_insurance, "[A-Z][0-9]{9}", health_insurance, 0.3, 0.9},
    {de_passport, "[CFGHJK][0-9CFGHJKLMNPRTVWXYZ]{7}[0-9]", passport, 0.2, 0.8},
    {de_id_card, "[LMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{7}[0-9]", id_card, 0.2, 0.8},
    {de_fuehrerschein, "[A-Z]{2}[0-9]{8}[0-9A-Z]", any, 0.1, 0.7},
    {de_kfz, "[A-Z]{1,3}[ -][A-Z]{1,2}[ -][0-9]{1,4}[HE]?", any, 0.1, 0.7},
    {de_plz, "[0-9]{5}", postal_code, 0.05, 0.6},
    {de_bsnr, "[0-9]{9}", practice_number, 0.05, 0.7},
    {de_lanr, "[0-9]{9}", doctor_number, 0.1, 0.8},
    {de_handelsregister, "HR[AB] ?[0-9]{1,6}", any, 0.4, 0.7},
});

}  // namespace

std::span<const IdRule> german_ids() { return rules; }

}  // namespace understudy::s2
