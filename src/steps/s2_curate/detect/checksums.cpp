#include "steps/s2_curate/detect/checksums.hpp"

#include <algorithm>
#include <array>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

int luhn_sum(std::string_view digits, bool double_last) {
  int sum = 0;
  bool doubled = double_last;
  for (auto c = digits.rbegin(); c != digits.rend(); ++c) {
    int digit = *c - '0';
    if (doubled) digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
    sum += digit;
    doubled = !doubled;
  }
  return sum;
}

// Issuer ranges by their leading digits, as the networks publish them.
struct CardRange {
  int first;
  int last;
  std::size_t digits;  // of first and last
  std::size_t length_min;
  std::size_t length_max;
};
constexpr std::array card_ranges = {
    CardRange{4, 4, 1, 13, 19},        // Visa
    CardRange{51, 55, 2, 16, 16},      // Mastercard
    CardRange{2221, 2720, 4, 16, 16},  // Mastercard
    CardRange{34, 34, 2, 15, 15},      // American Express
    CardRange{37, 37, 2, 15, 15},      // American Express
    CardRange{6011, 6011, 4, 16, 19},  // Discover
    CardRange{644, 649, 3, 16, 19},    // Discover
    CardRange{65, 65, 2, 16, 19},      // Discover
    CardRange{3528, 3589, 4, 16, 19},  // JCB
    CardRange{300, 305, 3, 14, 19},    // Diners Club
    CardRange{36, 36, 2, 14, 19},      // Diners Club
    CardRange{38, 39, 2, 14, 19},      // Diners Club
    CardRange{62, 62, 2, 16, 19},      // UnionPay
    CardRange{50, 50, 2, 12, 19},      // Maestro
    CardRange{56, 58, 2, 12, 19},      // Maestro
    CardRange{6304, 6304, 4, 12, 19},  // Maestro
    CardRange{67, 67, 2, 12, 19},      // Maestro
    CardRange{1, 1, 1, 15, 15},        // UATP
};

struct IbanCountry {
  std::string_view code;
  std::size_t length;
};
// SWIFT IBAN registry.
constexpr std::array iban_countries = {
    IbanCountry{"AD", 24}, IbanCountry{"AE", 23}, IbanCountry{"AL", 28}, IbanCountry{"AT", 20},
    IbanCountry{"AZ", 28}, IbanCountry{"BA", 20}, IbanCountry{"BE", 16}, IbanCountry{"BG", 22},
    IbanCountry{"BH", 22}, IbanCountry{"BI", 27}, IbanCountry{"BR", 29}, IbanCountry{"BY", 28},
    IbanCountry{"CH", 21}, IbanCountry{"CR", 22}, IbanCountry{"CY", 28}, IbanCountry{"CZ", 24},
    IbanCountry{"DE", 22}, IbanCountry{"DJ", 27}, IbanCountry{"DK", 18}, IbanCountry{"DO", 28},
    IbanCountry{"EE", 20}, IbanCountry{"EG", 29}, IbanCountry{"ES", 24}, IbanCountry{"FI", 18},
    IbanCountry{"FK", 18}, IbanCountry{"FO", 18}, IbanCountry{"FR", 27}, IbanCountry{"GB", 22},
    IbanCountry{"GE", 22}, IbanCountry{"GI", 23}, IbanCountry{"GL", 18}, IbanCountry{"GR", 27},
    IbanCountry{"GT", 28}, IbanCountry{"HR", 21}, IbanCountry{"HU", 28}, IbanCountry{"IE", 22},
    IbanCountry{"IL", 23}, IbanCountry{"IQ", 23}, IbanCountry{"IS", 26}, IbanCountry{"IT", 27},
    IbanCountry{"JO", 30}, IbanCountry{"KW", 30}, IbanCountry{"KZ", 20}, IbanCountry{"LB", 28},
    IbanCountry{"LC", 32}, IbanCountry{"LI", 21}, IbanCountry{"LT", 20}, IbanCountry{"LU", 20},
    IbanCountry{"LV", 21}, IbanCountry{"LY", 25}, IbanCountry{"MC", 27}, IbanCountry{"MD", 24},
    IbanCountry{"ME", 22}, IbanCountry{"MK", 19}, IbanCountry{"MN", 20}, IbanCountry{"MR", 27},
    IbanCountry{"MT", 31}, IbanCountry{"MU", 30}, IbanCountry{"NI", 28}, IbanCountry{"NL", 18},
    IbanCountry{"NO", 15}, IbanCountry{"OM", 23}, IbanCountry{"PK", 24}, IbanCountry{"PL", 28},
    IbanCountry{"PS", 29}, IbanCountry{"PT", 25}, IbanCountry{"QA", 29}, IbanCountry{"RO", 24},
    IbanCountry{"RS", 22}, IbanCountry{"RU", 33}, IbanCountry{"SA", 24}, IbanCountry{"SC", 31},
    IbanCountry{"SD", 18}, IbanCountry{"SE", 24}, IbanCountry{"SI", 19}, IbanCountry{"SK", 24},
    IbanCountry{"SM", 27}, IbanCountry{"SO", 23}, IbanCountry{"ST", 25}, IbanCountry{"SV", 28},
    IbanCountry{"TL", 23}, IbanCountry{"TN", 24}, IbanCountry{"TR", 26}, IbanCountry{"UA", 29},
    IbanCountry{"VA", 22}, IbanCountry{"VG", 24}, IbanCountry{"XK", 20}, IbanCountry{"YE", 30},
};

// The remainder of the IBAN by 97, read from its fifth character on, letters as 10 to 35.
int iban_remainder(std::string_view compact) {
  int remainder = 0;
  const auto take = [&remainder](std::string_view part) {
    for (const char c : part) {
      const int number = is_digit(c) ? c - '0' : c - 'A' + 10;
      remainder = (remainder * (number > 9 ? 100 : 10) + number) % 97;
    }
  };
  take(compact.substr(4));
  take(compact.substr(0, 4));
  return remainder;
}

}  // namespace

bool passes_luhn(std::string_view digits) {
  return !digits.empty() && luhn_sum(digits, false) % 10 == 0;
}

char luhn_check_digit(std::string_view digits) {
  return static_cast<char>('0' + (10 - luhn_sum(digits, true) % 10) % 10);
}

std::size_t card_prefix_length(std::string_view digits) {
  for (const CardRange& range : card_ranges) {
    if (digits.size() < range.length_min || digits.size() > range.length_max) continue;
    int prefix = 0;
    for (const char c : digits.substr(0, range.digits)) prefix = prefix * 10 + (c - '0');
    if (prefix >= range.first && prefix <= range.last) return range.digits;
  }
  return 0;
}

std::size_t iban_length(std::string_view country) {
  const auto found = std::ranges::lower_bound(iban_countries, country, {}, &IbanCountry::code);
  return found != iban_countries.end() && found->code == country ? found->length : 0;
}

bool is_iban(std::string_view compact) {
  if (compact.size() < 4 || compact.size() != iban_length(compact.substr(0, 2))) return false;
  if (!is_digit(compact[2]) || !is_digit(compact[3])) return false;
  const bool alphabet =
      std::ranges::all_of(compact, [](char c) { return is_digit(c) || is_upper(c); });
  return alphabet && iban_remainder(compact) == 1;
}

std::string with_iban_check_digits(std::string compact) {
  compact[2] = compact[3] = '0';
  const int check = 98 - iban_remainder(compact);
  compact[2] = static_cast<char>('0' + check / 10);
  compact[3] = static_cast<char>('0' + check % 10);
  return compact;
}

}  // namespace understudy::s2
