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

Verdict abn(std::string_view c) {
  constexpr std::array weights = {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
  return verdict((weighted_sum(c, weights) - weights[0]) % 89 == 0);
}

Verdict acn(std::string_view c) {
  constexpr std::array weights = {8, 7, 6, 5, 4, 3, 2, 1};
  return verdict(!are_all_equal(c) && (10 - weighted_sum(c, weights) % 10) % 10 == digit(c[8]));
}

Verdict tfn(std::string_view c) {
  constexpr std::array weights = {1, 4, 3, 7, 5, 8, 6, 9, 10};
  return verdict(!are_all_equal(c) && weighted_sum(c, weights) % 11 == 0);
}

Verdict medicare(std::string_view c) {
  constexpr std::array weights = {1, 3, 7, 9, 1, 3, 7, 9};
  return verdict(weighted_sum(c, weights) % 10 == digit(c[8]));
}

// Born YYMMDD, four digits by sex, citizen (0), resident (1) or refugee (2), one digit, Luhn.
Verdict south_african(std::string_view c) {
  const std::string day_month = std::string(c.substr(4, 2)) + std::string(c.substr(2, 2));
  return verdict(is_day_month(day_month) && c[10] <= '2' && passes_luhn(c));
}

Verdict nigerian(std::string_view c) { return verdict(!are_all_equal(c) && passes_verhoeff(c)); }

constexpr auto rules = std::to_array<IdRule>({
    {au_abn, "[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}", abn, 0.2, 0.9},
    {au_acn, "[0-9]{3} ?[0-9]{3} ?[0-9]{3}", acn, 0.1, 0.85},
    {au_tfn, "[0-9]{3} ?[0-9]{3} ?[0-9]{3}", tfn, 0.1, 0.9},
    {au_medicare, "[2-6][0-9]{3} ?[0-9]{5} ?[0-9]", medicare, 0.1, 0.9},
    {za_id_number, "[0-9]{13}", south_african, 0.3, 0.9},
    {ng_nin, "[0-9]{11}", nigerian, 0.1, 0.85},
    {ng_vehicle_registration, "[A-Z]{3}[ -]?[0-9]{3}[ -]?[A-Z]{2}", any, 0.3, 0.8},
});

}  // namespace

std::span<const IdRule> other_ids() { return rules; }

}  // namespace understudy::s2
