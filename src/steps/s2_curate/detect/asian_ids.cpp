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

bool is_birth_date(std::string_view year_month_day) {
  const std::string day_month =
      std::string(year_month_day.substr(4, 2)) + std::string(year_month_day.substr(2, 2));
  return is_day_month(day_month);
}

Verdict aadhaar(std::string_view c) { return verdict(c[0] >= '2' && passes_verhoeff(c)); }

// Check digit of numbers given out before October 2020; later ones are random.
bool passes_korean_check(std::string_view c) {
  constexpr std::array weights = {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5};
  return (11 - weighted_sum(c, weights) % 11) % 10 == digit(c[12]);
}
Verdict resident(std::string_view c) {
  if (!is_birth_date(c)) return Verdict::no;
  return at_least_form(passes_korean_check(c));
}

Verdict korean_company(std::string_view c) {
  constexpr std::array weights = {1, 3, 7, 1, 3, 7, 1, 3, 5};
  const int sum = weighted_sum(c, weights) + digit(c[8]) * 5 / 10;
  return verdict((10 - sum % 10) % 10 == digit(c[9]));
}

Verdict thai(std::string_view c) {
  constexpr std::array weights = {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
  // Provinces as ISO 3166-2:TH numbers them: the tens, and the highest ones digit of each.
  constexpr std::string_view highest = "-979987766";
  const bool province = c[1] >= '1' && c[2] <= highest[static_cast<std::size_t>(c[1] - '0')];
  return verdict(province && !are_all_equal(c) &&
                 (11 - weighted_sum(c, weights) % 11) % 10 == digit(c[12]));
}

Verdict turkish(std::string_view c) {
  constexpr std::array tenth = {7, -1, 7, -1, 7, -1, 7, -1, 7};
  constexpr std::array ones = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  return verdict((weighted_sum(c, tenth) % 10 + 10) % 10 == digit(c[9]) &&
                 weighted_sum(c, ones) % 10 == digit(c[10]));
}

Verdict turkish_phone(std::string_view c) {
  std::string_view digits = c;
  if (digits.size() == 12) digits.remove_prefix(2);
  if (digits.size() == 11) digits.remove_prefix(1);
  return verdict(digits.size() == 10);
}

Verdict philippine_tin(std::string_view c) {
  constexpr std::array weights = {9, 8, 7, 6, 5, 4, 3, 2};
  return verdict(!are_all_equal(c.substr(0, 9)) && weighted_sum(c, weights) % 11 == digit(c[8]));
}

Verdict nric(std::string_view c) {
  constexpr std::array weights = {2, 7, 6, 5, 4, 3, 2};
  int sum = weighted_sum(c.substr(1), weights);
  if (c[0] == 'T' || c[0] == 'G') sum += 4;
  if (c[0] == 'M') sum += 3;
  const auto rest = static_cast<std::size_t>(sum % 11);
  switch (c[0]) {
    case 'S':
    case 'T': return at_least_form("JZIHGFEDCBA"[rest] == c[8]);
    case 'F':
    case 'G': return at_least_form("XWUTRQPNMLK"[rest] == c[8]);
    case 'M': return at_least_form("KLJNPQRTUWX"[10 - rest] == c[8]);
    default: return Verdict::unverified;
  }
}

Verdict uen(std::string_view c) {
  constexpr std::array business = {10, 4, 9, 3, 8, 2, 7, 1};
  constexpr std::array company = {10, 8, 6, 4, 9, 7, 5, 3, 1};
  if (!is_digit(c[0])) return Verdict::yes;
  if (c.size() == 9)
    return at_least_form("XMKECAWLJDB"[weighted_sum(c, business) % 11] == c.back());
  return at_least_form("ZKCMDNERGWH"[weighted_sum(c, company) % 11] == c.back());
}

// GB 11643: ISO 7064 MOD 11-2, with a birth date inside.
Verdict chinese(std::string_view c) {
  constexpr std::array weights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  return verdict(is_birth_date(c.substr(8, 6)) &&
                 "10X98765432"[weighted_sum(c.substr(0, 17), weights) % 11] == c[17]);
}

Verdict my_number(std::string_view c) {
  constexpr std::array weights = {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const int rest = weighted_sum(c, weights) % 11;
  return verdict((rest <= 1 ? 0 : 11 - rest) == digit(c[11]));
}

Verdict israeli(std::string_view c) { return verdict(!are_all_equal(c) && passes_luhn(c)); }

Verdict hong_kong(std::string_view c) {
  const bool two_letters = is_letter(c[1]);
  int sum =
      two_letters ? (c[0] - 'A' + 10) * 9 + (c[1] - 'A' + 10) * 8 : 36 * 9 + (c[0] - 'A' + 10) * 8;
  const std::size_t first = two_letters ? 2 : 1;
  for (std::size_t i = 0; i < 6; ++i) sum += digit(c[first + i]) * static_cast<int>(7 - i);
  const int check = (11 - sum % 11) % 11;
  return verdict(c.back() == (check == 10 ? 'A' : static_cast<char>('0' + check)));
}

Verdict taiwanese(std::string_view c) {
  constexpr std::string_view order = "ABCDEFGHJKLMNPQRSTUVXYWZIO";  // A is 10
  constexpr std::array weights = {8, 7, 6, 5, 4, 3, 2, 1, 1};
  const auto letter = static_cast<int>(order.find(c[0])) + 10;
  return verdict((letter / 10 + letter % 10 * 9 + weighted_sum(c.substr(1), weights)) % 10 == 0);
}

constexpr auto rules = std::to_array<IdRule>({
    {in_aadhaar, "[2-9][0-9]{11}", aadhaar, 0.1, 0.9},
    {in_aadhaar, "[2-9][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}", aadhaar, 0.4, 0.9},
    {in_pan, "[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]", any, 0.5, 0.9},
    {in_gstin, "(?:0[1-9]|[12][0-9]|3[0-7])[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]", any, 0.7, 0.9},
    {in_passport, "[A-Z][1-9][0-9]{6}", any, 0.1, 0.7},
    {in_voter, "[A-Z]{3}[0-9]{7}", any, 0.2, 0.8},
    {in_vehicle_registration, "[A-Z]{2}[ -]?[0-9]{1,2}[ -]?[A-Z]{1,3}[ -]?[0-9]{4}", any, 0.3, 0.8},
    {in_vehicle_registration, "[A-Z]{3}[0-9]{4}", any, 0.05, 0.6},
    {kr_rrn, "[0-9]{6}-?[1-4][0-9]{6}", resident, 0.2, 0.9},
    {kr_rrn, "[0-9]{6}-[1-4][0-9]{6}", resident, 0.6, 0.9},
    {kr_frn, "[0-9]{6}-?[5-8][0-9]{6}", resident, 0.2, 0.9},
    {kr_frn, "[0-9]{6}-[5-8][0-9]{6}", resident, 0.5, 0.9},
    {kr_brn, "[0-9]{3}-[0-9]{2}-[0-9]{5}", korean_company, 0.5, 0.9},
    {kr_brn, "[0-9]{10}", korean_company, 0.1, 0.8},
    {kr_passport, "[MSRODG](?:[0-9]{8}|[0-9]{3}[A-Z][0-9]{4})", any, 0.2, 0.8},
    {kr_driver_license, "(?:1[1-9]|2[0-8])[ -]?[0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{2}", any, 0.1, 0.8},
    {th_tnin, "[1-8][0-9]{12}", thai, 0.2, 0.9},
    {th_tnin, "[1-8][ -][0-9]{4}[ -][0-9]{5}[ -][0-9]{2}[ -][0-9]", thai, 0.6, 0.9},
    {tr_national_id, "[1-9][0-9]{10}", turkish, 0.2, 0.9},
    {tr_license_plate, "(?:0[1-9]|[1-7][0-9]|8[01]) ?[A-Z]{1,3} ?[0-9]{2,4}", any, 0.2, 0.8},
    {tr_phone_number,
     "(?:\\+?90[ -]?|0[ -]?)?\\(?[2-5][0-9]{2}\\)?[ -]?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}",
     turkish_phone, 0.1, 0.7, true},
    {ph_mobile_number, "(?:\\+63[ -]?|0)\\(?9[0-9]{2}\\)?[ -]?[0-9]{3}[ -]?[0-9]{4}", any, 0.3, 0.8,
     true},
    {ph_tin, "[0-9]{3}-?[0-9]{3}-?[0-9]{3}(?:-?[0-9]{3}|-?[0-9]{5})?", philippine_tin, 0.1, 0.85},
    {sg_nric_fin, "[STFGM][0-9]{7}[A-Z]", nric, 0.6, 0.9},
    {sg_nric_fin, "[A-Z][0-9]{7}[A-Z]", nric, 0.1, 0.6},
    {sg_uen, "[0-9]{8}[A-Z]|(?:19|20)[0-9]{7}[A-Z]|[TSR][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z]", uen, 0.3,
     0.9},
    {cn_resident_id, "[1-8][0-9]{16}[0-9X]", chinese, 0.5, 0.95},
    {jp_my_number, "[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}", my_number, 0.1, 0.85},
    {il_id_number, "[0-9]{9}", israeli, 0.1, 0.85},
    {hk_id, "[A-Z]{1,2}[0-9]{6}\\(?[0-9A]\\)?", hong_kong, 0.4, 0.9, true},
    {tw_id, "[A-Z][12][0-9]{8}", taiwanese, 0.5, 0.9},
});

}  // namespace

std::span<const IdRule> asian_ids() { return rules; }

}  // namespace understudy::s2
