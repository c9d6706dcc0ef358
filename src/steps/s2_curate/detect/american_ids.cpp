#include <array>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/check_digits.hpp"
#include "steps/s2_curate/detect/checksums.hpp"
#include "steps/s2_curate/detect/id_rules.hpp"

namespace understudy::s2 {

namespace {

using enum EntityType;

constexpr Verdict verdict(bool valid) { return valid ? Verdict::yes : Verdict::no; }
Verdict any(std::string_view) { return Verdict::yes; }

// Social Security Administration: areas, groups and serials that are never given out, and numbers
// that became famous.
Verdict ssn(std::string_view c) {
  constexpr auto famous = std::to_array<std::string_view>({"078051120", "219099999", "123456789"});
  for (const std::string_view number : famous) {
    if (c == number) return Verdict::no;
  }
  return verdict(!c.starts_with("000") && !c.starts_with("666") && c[0] != '9' &&
                 c.substr(3, 2) != "00" && c.substr(5) != "0000" && !are_all_equal(c));
}

Verdict itin(std::string_view c) {
  const int group = digit(c[3]) * 10 + digit(c[4]);
  return verdict((group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
                 (group >= 90 && group <= 99 && group != 93));
}

Verdict routing_number(std::string_view c) {
  constexpr std::array weights = {3, 7, 1, 3, 7, 1, 3, 7, 1};
  const int district = digit(c[0]) * 10 + digit(c[1]);
  const bool assigned = district <= 12 || (district >= 21 && district <= 32) ||
                        (district >= 61 && district <= 72) || district == 80;
  return verdict(assigned && !are_all_equal(c) && weighted_sum(c, weights) % 10 == 0);
}

Verdict npi(std::string_view c) { return verdict(passes_luhn("80840" + std::string(c))); }

// Drug Enforcement Administration.
Verdict dea(std::string_view c) {
  const auto at = [&](std::size_t i) { return digit(c[i + 1]); };
  return verdict((at(1) + at(3) + at(5) + 2 * (at(2) + at(4) + at(6))) % 10 == at(7));
}

Verdict driver_license(std::string_view c) { return verdict(only_digits(c).size() >= 3); }

Verdict sin(std::string_view c) { return verdict(!are_all_equal(c) && passes_luhn(c)); }

int descending_check(std::string_view digits, int first_weight) {
  int sum = 0;
  for (const char c : digits) sum += digit(c) * first_weight--;
  const int check = sum * 10 % 11;
  return check == 10 ? 0 : check;
}

Verdict cpf(std::string_view c) {
  return verdict(!are_all_equal(c) && descending_check(c.substr(0, 9), 10) == digit(c[9]) &&
                 descending_check(c.substr(0, 10), 11) == digit(c[10]));
}

Verdict cnpj(std::string_view c) {
  constexpr std::array weights = {6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2};
  const auto check = [&](std::size_t digits) {
    const int rest = weighted_sum(c.substr(0, digits), std::span(weights).last(digits)) % 11;
    return rest < 2 ? 0 : 11 - rest;
  };
  return verdict(check(12) == digit(c[12]) && check(13) == digit(c[13]));
}

Verdict curp(std::string_view c) {
  constexpr std::string_view values =
      "0123456789ABCDEFGHIJKLMN~OPQRSTUVWXYZ";  // the 25th is N tilde
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i)
    sum += static_cast<int>(values.find(c[i])) * static_cast<int>(18 - i);
  return verdict((10 - sum % 10) % 10 == digit(c[17]));
}

Verdict cuit(std::string_view c) {
  constexpr std::array weights = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const int check = 11 - weighted_sum(c, weights) % 11;
  return verdict((check == 11 ? 0 : check) == digit(c[10]));
}

Verdict rut(std::string_view c) {
  int sum = 0;
  int weight = 2;
  for (std::size_t i = c.size() - 1; i-- > 0;) {
    sum += digit(c[i]) * weight;
    weight = weight == 7 ? 2 : weight + 1;
  }
  return verdict("0K987654321"[sum % 11] == c.back());
}

constexpr auto rules = std::to_array<IdRule>({
    {us_ssn, "[0-9]{3}-[0-9]{2}-[0-9]{4}", ssn, 0.85, 0.95},
    {us_ssn, "[0-9]{3}[ .][0-9]{2}[ .][0-9]{4}", ssn, 0.4, 0.95},
    {us_ssn, "[0-9]{9}", ssn, 0.05, 0.9},
    {us_itin, "9[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{4}", itin, 0.1, 0.85},
    {us_itin, "9[0-9]{2}-[0-9]{2}-[0-9]{4}", itin, 0.6, 0.9},
    {us_passport, "[0-9]{9}", any, 0.05, 0.6},
    {us_passport, "[A-Z][0-9]{8}", any, 0.1, 0.6},
    {us_driver_license, "[A-Z][0-9]{3,14}", driver_license, 0.2, 0.7},
    {us_driver_license, "[A-Z]{2}[0-9]{5,7}[A-Z]?", driver_license, 0.1, 0.7},
    {us_driver_license, "[A-Z]{3}[0-9]{6}", driver_license, 0.1, 0.7},
    {us_driver_license, "[0-9]{7,9}[A-Z]?|[0-9]{10}|[0-9]{12}", driver_license, 0.05, 0.7},
    {us_bank_number, "[0-9]{8,17}", any, 0.05, 0.6},
    {us_npi, "[12][0-9]{9}", npi, 0.1, 0.85},
    {us_npi, "[12][0-9]{3}[ -][0-9]{3}[ -][0-9]{3}", npi, 0.2, 0.85},
    {us_mbi,
     "[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?"
     "[AC-HJKMNP-RT-Y]{2}[0-9]{2}",
     any, 0.5, 0.9},
    {aba_routing_number, "[0-9]{9}", routing_number, 0.05, 0.9},
    {aba_routing_number, "[0-9]{4}-[0-9]{4}-[0-9]", routing_number, 0.3, 0.9},
    {medical_license, "[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}", dea, 0.4, 0.9},
    {medical_record_number, "[A-Z]{0,4}-?[0-9]{5,12}", any, 0.05, 0.75},
    {ca_sin, "[1-79][0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}", sin, 0.2, 0.9},
    {br_cpf, "[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}-[0-9]{2}", cpf, 0.8, 0.95, true},
    {br_cpf, "[0-9]{11}", cpf, 0.2, 0.9},
    {br_cnpj, "[0-9]{2}\\.[0-9]{3}\\.[0-9]{3}/[0-9]{4}-[0-9]{2}", cnpj, 0.8, 0.95, true},
    {br_cnpj, "[0-9]{14}", cnpj, 0.2, 0.9},
    {mx_curp, "[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", curp, 0.9, 0.95},
    {ar_cuit, "(?:20|23|24|27|30|33|34)-[0-9]{8}-[0-9]", cuit, 0.7, 0.9},
    {ar_cuit, "(?:20|23|24|27|30|33|34)[0-9]{9}", cuit, 0.1, 0.8},
    {cl_rut, "[0-9]{1,2}\\.[0-9]{3}\\.[0-9]{3}-[0-9K]", rut, 0.7, 0.9, true},
    {cl_rut, "[0-9]{7,8}-[0-9K]", rut, 0.3, 0.85},
});

}  // namespace

std::span<const IdRule> american_ids() { return rules; }

}  // namespace understudy::s2
