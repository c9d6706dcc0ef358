// Check digits and number ranges of payment cards (ISO/IEC 7812) and IBANs (ISO 13616). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace understudy::s2 {

// Modulus 10 over all digits (Luhn); the text must hold digits only.
bool passes_luhn(std::string_view digits);
// The digit that makes `digits` + it pass.
char luhn_check_digit(std::string_view digits);

// How many leading digits name the card network (and with it the possible lengths); 0 where no
// network issues such a number of this length.
std::size_t card_prefix_length(std::string_view digits);

// The length of a country's IBANs; 0 for a country that has none. Upper-case code.
std::size_t iban_length(std::string_view country);
// ISO 7064 MOD 97-10 and the country's length; `compact` is upper case without spaces.
bool is_iban(std::string_view compact);
// `compact` with its two check digits made right; its length must be a country's.
std::string with_iban_check_digits(std::string compact);

}  // namespace understudy::s2
