// What the words around a number say that it is. A valid check digit is no evidence by itself: one
// ten-digit id in eleven passes some country's check, so bare numbers need a word or a key name.
// Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace understudy::s2 {

enum class NumberContext {
  none,
  phone,
  card,
  number,  // somebody's number, of whatever kind
  other,   // an order, a flight, a version, an id: certainly not personal data
};

// The nearest telling word before `begin` (within the line's last words), else what the JSON key
// of the leaf says.
NumberContext number_context(std::string_view text, std::size_t begin, std::string_view key);

// Does a word like "office", "fax" or "mobile" follow at once?
bool is_phone_word_behind(std::string_view text, std::size_t end);

// Is the place before `begin` that of a version or a section number, not of an address?
bool is_version_place(std::string_view text, std::size_t begin, std::string_view key);

// Does the nearest context speak of network addresses?
bool is_network_place(std::string_view text, std::size_t begin, std::string_view key);

}  // namespace understudy::s2
