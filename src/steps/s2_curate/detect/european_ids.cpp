#include <array>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/check_digits.hpp"
#include "steps/s2_curate/detect/checksums.hpp"
#include "steps/s2_curate/detect/id_rules.hpp"

namespace understudy::s2 {

namespace {

using enum EntityType;

constexpr Verdict verdict(bool valid) { return valid ? Verdict::yes : Verdict::no; }
constexpr Verdict at_least_form(bool valid) { return valid ? Verdict::yes : Verdict::unverified; }
Verdict any(std::string_view) { return Verdict::yes; }

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + digit(c);
  return value;
}

std::string day_month_of(std::string_view year_month_day) {
  return std::string(year_month_day.substr(4, 2)) + std::string(year_month_day.substr(2, 2));
}

constexpr std::string_view spanish_letters = "TRWAGMYFPDXBNJZSQVHLCKE";

Verdict nif(std::string_view c) {
  return verdict(
      spanish_letters[static_cast<std::size_t>(number(c.substr(0, c.size() - 1)) % 23)] ==
      c.back());
}

Verdict nie(std::string_view c) {
  std::string digits(c);
  digits[0] = static_cast<char>('0' + (c[0] - 'X'));
  return nif(digits);
}

// Decree of 23 December 1976: odd places by this table, even places by their value.
Verdict fiscal_code(std::string_view c) {
  constexpr std::array odd = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                              20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  int sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const int value = is_digit(c[i]) ? digit(c[i]) : c[i] - 'A';
    sum += i % 2 == 0 ? odd[static_cast<std::size_t>(value)] : value;
  }
  return at_least_form(c[15] == 'A' + sum % 26);
}

Verdict italian_vat(std::string_view c) { return verdict(!are_all_equal(c) && passes_luhn(c)); }

Verdict pesel(std::string_view c) {
  constexpr std::array weights = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3};
  std::string birth(c.substr(0, 6));
  birth[2] = static_cast<char>('0' + digit(birth[2]) % 2);  // the century is in the month
  return verdict(is_day_month(day_month_of(birth)) &&
                 (10 - weighted_sum(c, weights) % 10) % 10 == digit(c[10]));
}

Verdict finnish(std::string_view c) {  // compact has lost a "-" or "+"
  const std::string digits = std::string(c.substr(0, 6)) + std::string(c.substr(c.size() - 4, 3));
  const bool check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[number(digits) % 31] == c.back();
  return verdict(check && is_day_month(c) && number(digits.substr(6)) >= 2);
}

Verdict personnummer(std::string_view c) {
  std::string ten(c.substr(c.size() - 10));
  const bool luhn = passes_luhn(ten);
  if (ten[4] >= '6') ten[4] = static_cast<char>(ten[4] - 6);  // a coordination number
  return verdict(luhn && is_day_month(day_month_of(ten)));
}

Verdict swedish_company(std::string_view c) { return verdict(c[2] >= '2' && passes_luhn(c)); }

Verdict french_nir(std::string_view c) {
  if (c.size() != 15) return Verdict::no;
  std::string digits(c);
  if (digits[5] == '2' && (digits[6] == 'A' || digits[6] == 'B')) {  // Corsica
    digits[6] = digits[6] == 'A' ? '9' : '8';
    digits[5] = '1';
  }
  long long value = 0;
  for (const char d : digits.substr(0, 13)) {
    if (!is_digit(d)) return Verdict::no;
    value = value * 10 + digit(d);
  }
  return verdict(97 - value % 97 == number(digits.substr(13)));
}

Verdict bsn(std::string_view c) {
  constexpr std::array weights = {9, 8, 7, 6, 5, 4, 3, 2, -1};
  return verdict(!are_all_equal(c) && weighted_sum(c, weights) % 11 == 0);
}

Verdict belgian(std::string_view c) {
  const int nine = number(c.substr(0, 9));
  const long long with_two = 2'000'000'000LL + nine;
  const int check = number(c.substr(9));
  return verdict(97 - nine % 97 == check || 97 - with_two % 97 == check);
}

Verdict portuguese(std::string_view c) {
  constexpr std::array weights = {9, 8, 7, 6, 5, 4, 3, 2};
  const int check = 11 - weighted_sum(c, weights) % 11;
  return verdict((check >= 10 ? 0 : check) == digit(c[8]));
}

Verdict danish(std::string_view c) {
  constexpr std::array weights = {4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  if (!is_day_month(c)) return Verdict::no;
  return at_least_form(weighted_sum(c, weights) % 11 == 0);  // not kept since 2007
}

Verdict norwegian(std::string_view c) {
  constexpr std::array first = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  constexpr std::array second = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  return verdict(is_day_month(c) && weighted_sum(c, first) % 11 == 0 &&
                 weighted_sum(c, second) % 11 == 0);
}

Verdict czech(std::string_view c) {
  long long value = 0;
  for (const char d : c) value = value * 10 + digit(d);
  const int month = number(c.substr(2, 2)) % 50;
  const bool date = (month <= 12 || (month > 20 && month <= 32)) && month % 20 > 0;
  return verdict(date && number(c.substr(4, 2)) <= 31 && c[4] <= '3' && value % 11 == 0);
}

Verdict romanian(std::string_view c) {
  constexpr std::array weights = {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9};
  const int check = weighted_sum(c, weights) % 11;
  return verdict(is_day_month(day_month_of(c.substr(1))) &&
                 (check == 10 ? 1 : check) == digit(c[12]));
}

Verdict bulgarian(std::string_view c) {
  constexpr std::array weights = {2, 4, 8, 5, 10, 9, 7, 3, 6};
  std::string birth(c.substr(0, 6));
  birth[2] = static_cast<char>('0' + digit(birth[2]) % 2);
  return verdict(is_day_month(day_month_of(birth)) &&
                 weighted_sum(c, weights) % 11 % 10 == digit(c[9]));
}

Verdict croatian(std::string_view c) { return verdict(passes_iso7064_mod11_10(c)); }

Verdict estonian(std::string_view c) {  // Lithuania's is the same
  constexpr std::array first = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1};
  constexpr std::array second = {3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
  int check = weighted_sum(c, first) % 11;
  if (check == 10) check = weighted_sum(c, second) % 11 % 10;
  return verdict(is_day_month(day_month_of(c.substr(1))) && check == digit(c[10]));
}

Verdict swiss(std::string_view c) {
  constexpr std::array weights = {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3};
  return verdict((10 - weighted_sum(c, weights) % 10) % 10 == digit(c[12]));
}

Verdict russian_inn(std::string_view c) {
  constexpr std::array ten = {2, 4, 10, 3, 5, 9, 4, 6, 8};
  constexpr std::array eleventh = {7, 2, 4, 10, 3, 5, 9, 4, 6, 8};
  constexpr std::array twelfth = {3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8};
  if (c.size() == 10) return verdict(weighted_sum(c, ten) % 11 % 10 == digit(c[9]));
  return verdict(weighted_sum(c, eleventh) % 11 % 10 == digit(c[10]) &&
                 weighted_sum(c, twelfth) % 11 % 10 == digit(c[11]));
}

Verdict snils(std::string_view c) {
  constexpr std::array weights = {9, 8, 7, 6, 5, 4, 3, 2, 1};
  return verdict(weighted_sum(c, weights) % 101 % 100 == number(c.substr(9)));
}

constexpr auto rules = std::to_array<IdRule>({
    {es_nif, "[0-9]{7,8}-?[A-Z]", nif, 0.5, 0.9},
    {es_nie, "[XYZ]-?[0-9]{7,8}-?[A-Z]", nie, 0.6, 0.9},
    {es_passport, "[A-Z]{3}[0-9]{6}", any, 0.1, 0.7},
    {it_fiscal_code,
     "[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]",
     fiscal_code, 0.9, 0.95},
    {it_vat_code, "[0-9]{11}", italian_vat, 0.1, 0.8},
    {it_driver_license, "[A-Z]{2}[0-9]{7}[A-Z]", any, 0.2, 0.8},
    {it_driver_license, "U1[BCDFGHJKLMNPRSTUVWXYZ0-9]{7}[A-Z]", any, 0.3, 0.8},
    {it_identity_card, "[A-Z]{2}[0-9]{5}[A-Z]{2}", any, 0.2, 0.8},
    {it_identity_card, "[A-Z]{2} ?[0-9]{7}", any, 0.1, 0.7},
    {it_identity_card, "[0-9]{7}[A-Z]{2}", any, 0.1, 0.7},
    {it_passport, "[A-Z]{2}[0-9]{7}", any, 0.1, 0.7},
    {pl_pesel, "[0-9]{11}", pesel, 0.2, 0.9},
    {fi_personal_identity_code, "[0-3][0-9][01][0-9]{3}[+ABCDEFYXWVU-][0-9]{3}[0-9A-Y]", finnish,
     0.6, 0.95},
    {se_personnummer, "(?:19|20)?[0-9]{6}[-+]?[0-9]{4}", personnummer, 0.2, 0.9},
    {se_personnummer, "[0-9]{6}[-+][0-9]{4}", personnummer, 0.5, 0.9},
    {se_organisationsnummer, "[0-9]{6}-?[0-9]{4}", swedish_company, 0.2, 0.8},
    {fr_nir, "[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
     french_nir, 0.5, 0.95},
    {nl_bsn, "[0-9]{9}", bsn, 0.1, 0.85},
    {be_national_number, "[0-9]{2}\\.?[0-9]{2}\\.?[0-9]{2}-?[0-9]{3}\\.?[0-9]{2}", belgian, 0.2,
     0.9, true},
    {pt_nif, "[1-35689][0-9]{2} ?[0-9]{3} ?[0-9]{3}", portuguese, 0.1, 0.85},
    {dk_cpr, "[0-3][0-9][01][0-9]{3}-?[0-9]{4}", danish, 0.2, 0.85},
    {no_fodselsnummer, "[0-7][0-9]{5} ?[0-9]{5}", norwegian, 0.3, 0.9},
    {cz_birth_number, "[0-9]{6}/[0-9]{4}", czech, 0.6, 0.9},
    {cz_birth_number, "[0-9]{10}", czech, 0.1, 0.8},
    {ro_cnp, "[1-8][0-9]{12}", romanian, 0.3, 0.9},
    {bg_egn, "[0-9]{10}", bulgarian, 0.1, 0.85},
    {hr_oib, "[0-9]{11}", croatian, 0.1, 0.85},
    {ee_isikukood, "[1-6][0-9]{10}", estonian, 0.3, 0.9},
    {ch_ahv, "756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}", swiss, 0.6, 0.95},
    {ru_inn, "[0-9]{10}|[0-9]{12}", russian_inn, 0.1, 0.85},
    {ru_snils, "[0-9]{3}-[0-9]{3}-[0-9]{3} [0-9]{2}", snils, 0.6, 0.9, true},
});

}  // namespace

std::span<const IdRule> european_ids() { return rules; }

}  // namespace understudy::s2
