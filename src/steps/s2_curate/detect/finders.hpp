// One finder per kind of personal data; private to detect. A finder gets the leaf and where
// something may be, decides by form, boundaries, check digits and context whether it is one, says
// exactly where it begins and ends, and how sure it is. Pure and thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "steps/s2_curate/detect/digit_runs.hpp"
#include "steps/s2_curate/detect/entity.hpp"

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

// `at` is an "@".
std::optional<Entity> find_email(const Leaf& leaf, std::size_t at);
// The password in "https://user:password@host".
std::optional<Entity> find_url_password(const Leaf& leaf, std::size_t at);
// `begin` is at the country code.
std::optional<Entity> find_iban(const Leaf& leaf, std::size_t begin);
// `at` lies within the dotted digits, or the colons.
std::optional<Entity> find_ipv4(const Leaf& leaf, std::size_t at);
std::optional<Entity> find_ipv6(const Leaf& leaf, std::size_t at);
// `at` is the first separator.
std::optional<Entity> find_mac(const Leaf& leaf, std::size_t at);
// `at` is the colon of "://", or the dot of "www.".
std::optional<Entity> find_url(std::string_view text, std::size_t at);
// A whole word, from its first letter or digit.
std::optional<Entity> find_crypto_address(std::string_view text, Place word);
// A chat service's bot token, which has no literal: its first part, a whole word.
std::optional<Entity> find_bot_token(std::string_view text, Place word);

// Cards, phone numbers and dates of a run of digits.
void find_cards(const Leaf& leaf, const DigitRun& run, std::vector<Entity>& found);
void find_phones(const Leaf& leaf, const DigitRun& run, std::vector<Entity>& found);
void find_dates(std::string_view text, const DigitRun& run, std::vector<Entity>& found);
// Names of days and months: `word` as it stands in the text.
std::optional<Entity> find_named_date(std::string_view text, Place word);

}  // namespace understudy::s2
