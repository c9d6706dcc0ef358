// One finder per kind of personal data; private to s2_curate. A finder gets the leaf and where the
// pattern scanner saw something, decides by form, boundaries, check digits and context whether it
// is one, and says exactly where it begins and ends. Pure and thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "steps/s2_curate/digit_runs.hpp"
#include "steps/s2_curate/entity.hpp"

namespace understudy::s2 {

// A string in a JSON tree: its text and the key that it stands under ("content", "phone").
struct Leaf {
  std::string_view text;
  std::string_view key;
};

struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// `place` ends behind "x@y".
std::optional<Entity> find_email(const Leaf& leaf, Place place);
// The password in "https://user:password@host".
std::optional<Entity> find_url_password(const Leaf& leaf, Place place);
// `place` begins at the country code.
std::optional<Entity> find_iban(const Leaf& leaf, Place place);
// `place` lies within the dotted digits, or the colons.
std::optional<Entity> find_ipv4(const Leaf& leaf, Place place);
std::optional<Entity> find_ipv6(const Leaf& leaf, Place place);

// Cards and phone numbers of a run of digits.
void find_cards(const Leaf& leaf, const DigitRun& run, std::vector<Entity>& found);
void find_phones(const Leaf& leaf, const DigitRun& run, std::vector<Entity>& found);

}  // namespace understudy::s2
