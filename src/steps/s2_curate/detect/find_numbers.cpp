#include <algorithm>
#include <array>

#include "adapters/text/phone_numbers.hpp"
#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/checksums.hpp"
#include "steps/s2_curate/detect/context.hpp"
#include "steps/s2_curate/detect/finders.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t card_digits_min = 12;
constexpr std::size_t card_digits_max = 19;
constexpr std::size_t phone_digits_min = 7;
constexpr std::size_t phone_digits_in_context_min = 6;
constexpr double doubtful = 0.3;
constexpr std::size_t phone_digits_max = 15;  // ITU E.164
constexpr std::size_t groups_max = 8;         // of one phone number

// Where a number without "+" is tried, where the context says that it is a phone number; the first
// that accepts it wins. The order does not matter for the surrogate: it depends on the digits.
constexpr std::array regions = {"US", "GB", "DE", "FR", "IT", "ES", "NL", "IN", "IL", "JP", "BR",
                                "CA", "AU", "TR", "SE", "PL", "CH", "AT", "BE", "DK", "NO"};

// "555-2671x12": nothing but a telephone has an extension.
std::size_t extension_bytes(std::string_view text, std::size_t end) {
  std::size_t at = end;
  if (text.substr(at, 2) == " x") ++at;
  if (at + 1 >= text.size() || text[at] != 'x' || !is_digit(text[at + 1])) return 0;
  ++at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - end;
}
bool has_extension(std::string_view text, std::size_t end) {
  return extension_bytes(text, end) > 0;
}

// A number that goes on to the left or right as a word, a decimal, an amount of money, a path or a
// dashed id is none of ours.
bool starts_alone(std::string_view text, std::size_t begin) {
  if (begin == 0) return true;
  if (text[begin - 1] == ',') return begin < 2 || !is_digit(text[begin - 2]);
  return !continues_word_before(text, begin) &&
         !std::string_view("-.$#/\\+").contains(text[begin - 1]);
}

bool ends_alone(std::string_view text, std::size_t end) {
  if (end >= text.size()) return true;
  if (has_extension(text, end)) return true;
  if (continues_word_after(text, end) || text[end] == '%') return false;
  const bool glue = std::string_view("-.,/:").contains(text[end]);
  if (glue && is_phone_word_behind(text, end)) return true;
  return !(glue && end + 1 < text.size() && is_alnum(text[end + 1]));
}

// One and the same separator between all groups: " " or "-".
bool is_evenly_grouped(std::string_view text, const DigitRun& run, std::size_t first,
                       std::size_t last) {
  char separator = 0;
  for (std::size_t i = first; i < last; ++i) {
    const std::size_t end = run.groups[i].end;
    if (run.groups[i + 1].begin - end != 1) return false;
    const char c = text[end];
    if ((c != ' ' && c != '-') || (separator != 0 && c != separator)) return false;
    separator = c;
  }
  return true;
}

// The groups that cards are printed in: 4-4-4-4(-3), and 4-6-5.
bool is_card_grouping(const DigitRun& run, std::size_t first, std::size_t last) {
  const std::size_t count = last - first + 1;
  if (count == 3)
    return run.groups[first].size() == 4 && run.groups[first + 1].size() == 6 &&
           run.groups[last].size() >= 4;
  if (count < 4) return false;
  for (std::size_t i = first; i < last; ++i) {
    if (run.groups[i].size() != 4) return false;
  }
  return run.groups[last].size() <= 4;
}

// "2024-05-15 15" is a date however many digits it has.
bool looks_like_date(std::string_view text, const DigitRun& run) {
  if (run.groups.size() < 3) return false;
  const auto number = [&](std::size_t i) {
    const std::string digits = digits_of(text, run, i, i);
    return digits.size() > 4 ? -1 : std::stoi(digits);
  };
  const auto is_year = [](int year) { return year >= 1900 && year <= 2099; };
  const auto is_month_day = [](int a, int b) {
    return a >= 1 && b >= 1 && a <= 31 && b <= 31 && std::min(a, b) <= 12;
  };
  return (is_year(number(0)) && is_month_day(number(1), number(2))) ||
         (is_year(number(2)) && is_month_day(number(0), number(1)));
}

Entity phone_entity(std::string_view text, const DigitRun& run, Place groups,
                    const text::PhoneNumber& number) {
  const auto [first, last] = groups;
  // Some plans put other digits in front (Argentina's 15); the digits as written then are the
  // value.
  std::string written = digits_of(text, run, first, last);
  std::string value = number.national;
  if (!written.ends_with(value)) value = written.erase(0, written.find_first_not_of('0'));
  return {.type = EntityType::phone,
          .begin = first == 0 ? run.begin : run.groups[first].begin,
          .end = run.groups[last].end,
          .value = std::move(value),
          .kind = {},
          .phone_country = number.country_code,
          .score = number.valid ? 0.9 : 0.75};
}

// The longest run of groups from the first that is an international number; a valid one wins over
// one that is only possible.
std::optional<Entity> international(const Leaf& leaf, const DigitRun& run, NumberContext context) {
  std::optional<Entity> possible;
  for (std::size_t last = std::min(run.groups.size(), groups_max); last-- > 0;) {
    const std::size_t digits = digits_of(leaf.text, run, 0, last).size();
    if (digits > phone_digits_max || digits < phone_digits_min) continue;
    if (!ends_alone(leaf.text, run.groups[last].end) && last + 1 == run.groups.size()) continue;
    const auto number =
        text::parse_phone_number(leaf.text.substr(run.begin, run.groups[last].end - run.begin));
    if (!number) continue;
    if (number->valid) return phone_entity(leaf.text, run, {0, last}, *number);
    if (!possible && (last > 0 || context == NumberContext::phone))
      possible = phone_entity(leaf.text, run, {0, last}, *number);
  }
  return possible;
}

// "(415) 555-2671", "415-555-2671", "1-415-555-2671": needs no context.
std::optional<Entity> north_american(const Leaf& leaf, const DigitRun& run, NumberContext context) {
  const std::size_t count = run.groups.size();
  for (std::size_t first = 0; first + 2 < count; ++first) {
    const std::size_t last = first + 2;
    if (run.groups[first].size() != 3 || run.groups[first + 1].size() != 3 ||
        run.groups[last].size() != 4)
      continue;
    const bool country_code = first == 1 && digits_of(leaf.text, run, 0, 0) == "1";
    if ((first > 0 && !country_code) || last + 1 < count) continue;
    const auto number = text::parse_phone_number(digits_of(leaf.text, run, first, last), "US");
    // People write unassigned numbers too; dots are also in versions and dates.
    const bool dotted = leaf.text[run.groups[first].end] == '.';
    if (number && (number->valid || !dotted || context == NumberContext::phone))
      return phone_entity(leaf.text, run, {country_code ? 0 : first, last}, *number);
  }
  return std::nullopt;
}

std::optional<Entity> local(const Leaf& leaf, const DigitRun& run) {
  const std::size_t last = std::min(run.groups.size(), groups_max) - 1;
  const std::string digits = digits_of(leaf.text, run, 0, last);
  if (digits.size() > phone_digits_max || digits.size() < phone_digits_in_context_min)
    return std::nullopt;
  const auto end = run.groups[last].end;
  if (digits.starts_with("00")) {
    const auto number = text::parse_phone_number("+" + digits.substr(2));
    if (number && number->valid) return phone_entity(leaf.text, run, {0, last}, *number);
  }
  const std::string_view written = leaf.text.substr(run.begin, end - run.begin);
  for (const char* region : regions) {
    const auto number = text::parse_phone_number(written, region);
    if (number && number->valid) return phone_entity(leaf.text, run, {0, last}, *number);
  }
  const auto number = text::parse_phone_number(written, "US");
  if (number) return phone_entity(leaf.text, run, {0, last}, *number);
  // Six digits are no number of the regions above, but of others (Iceland, small towns).
  const text::PhoneNumber unknown{.country_code = 0, .national = digits, .valid = false};
  return run.groups.size() > 1 ? std::optional(phone_entity(leaf.text, run, {0, last}, unknown))
                               : std::nullopt;
}

// What is said before, else right behind: "555 2671 (office)".
NumberContext phone_context(const Leaf& leaf, const DigitRun& run) {
  const NumberContext before = number_context(leaf.text, run.begin, leaf.key);
  if (before == NumberContext::phone) return before;
  if (is_phone_word_behind(leaf.text, run.end())) return NumberContext::phone;
  if (before == NumberContext::number)
    return run.groups.size() > 1 ? NumberContext::phone : NumberContext::none;
  return before;
}

}  // namespace

void find_cards(const Leaf& leaf, const DigitRun& run, std::vector<Entity>& found) {
  for (std::size_t first = 0; first < run.groups.size(); ++first) {
    std::string digits;
    for (std::size_t last = first; last < run.groups.size(); ++last) {
      digits += leaf.text.substr(run.groups[last].begin, run.groups[last].size());
      if (digits.size() > card_digits_max) break;
      if (digits.size() < card_digits_min || card_prefix_length(digits) == 0) continue;
      if (!passes_luhn(digits) || !is_evenly_grouped(leaf.text, run, first, last)) continue;
      const std::size_t begin = run.groups[first].begin;
      const std::size_t end = run.groups[last].end;
      if (first == 0 && !starts_alone(leaf.text, begin) && leaf.text[begin - 1] != '(') continue;
      if (last + 1 == run.groups.size() && !ends_alone(leaf.text, end)) continue;
      const NumberContext context = number_context(leaf.text, begin, leaf.key);
      const bool printed = is_card_grouping(run, first, last) && context != NumberContext::other;
      const bool sure = printed || context == NumberContext::card;
      found.push_back({.type = EntityType::card,
                       .begin = begin,
                       .end = end,
                       .value = digits,
                       .score = sure ? 1 : doubtful});
    }
  }
}

void find_phones(const Leaf& leaf, const DigitRun& run, std::vector<Entity>& found) {
  if (!starts_alone(leaf.text, run.begin) || looks_like_date(leaf.text, run)) return;
  const NumberContext context =
      has_extension(leaf.text, run.end()) ? NumberContext::phone : phone_context(leaf, run);
  std::optional<Entity> phone;
  if (leaf.text[run.begin] == '+') {
    phone = international(leaf, run, context);
  } else if (ends_alone(leaf.text, run.end()) && context != NumberContext::other &&
             context != NumberContext::card) {
    phone = north_american(leaf, run, context);
    if (!phone && context == NumberContext::phone) phone = local(leaf, run);
  }
  if (phone) found.push_back(std::move(*phone));
}

}  // namespace understudy::s2
