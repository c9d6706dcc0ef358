#include "steps/s2_curate/surrogate/number_literals.hpp"

#include <charconv>
#include <optional>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr ScaledNumber unit = 10'000;
constexpr std::size_t decimals_max = 4;
constexpr std::size_t digits_max = 12;  // longer ones are ids
constexpr ScaledNumber smallest = 10 * unit;
constexpr ScaledNumber first_year = 1900 * unit;
constexpr ScaledNumber last_year = 2100 * unit;
constexpr std::size_t group_digits = 3;

bool digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_digit(text[at]);
}

std::size_t end_of_digits(std::string_view text, std::size_t at) {
  while (digit_at(text, at)) ++at;
  return at;
}

// What a number may not stand behind, or it is a part of something.
bool begins_inside(std::string_view text, std::size_t begin) {
  if (begin == 0) return false;
  const char before = text[begin - 1];
  if (std::string_view("./#@").contains(before)) return true;
  if (before == ',' || before == ':') return begin >= 2 && is_alnum(text[begin - 2]);
  if (before == '-') return begin >= 2 && (is_alnum(text[begin - 2]) || text[begin - 2] == '-');
  return continues_word_before(text, begin);
}

bool ends_inside(std::string_view text, std::size_t end) {
  if (end >= text.size()) return false;
  if (text[end] == '%') return true;
  if (std::string_view(".,:/-").contains(text[end]) && digit_at(text, end + 1)) return true;
  return continues_word_after(text, end);
}

bool behind_currency(std::string_view text, std::size_t begin) {
  const std::string_view before = text.substr(0, begin);
  return before.ends_with('$') || before.ends_with("\xe2\x82\xac") || before.ends_with("\xc2\xa3");
}

std::optional<NumberLiteral> literal_at(std::string_view text, std::size_t begin) {
  NumberLiteral number{.begin = begin, .end = end_of_digits(text, begin)};
  std::string digits(text.substr(begin, number.end - begin));
  while (digits.size() <= digits_max && number.end < text.size() && text[number.end] == ',' &&
         end_of_digits(text, number.end + 1) == number.end + 1 + group_digits &&
         (number.grouped || digits.size() <= group_digits)) {
    digits += text.substr(number.end + 1, group_digits);
    number.end += 1 + group_digits;
    number.grouped = true;
  }
  if (digits.size() > digits_max || (digits.front() == '0' && digits.size() > 1)) return {};
  std::from_chars(digits.data(), digits.data() + digits.size(), number.value);
  number.value *= unit;
  if (number.end < text.size() && text[number.end] == '.' && digit_at(text, number.end + 1)) {
    const std::size_t end = end_of_digits(text, number.end + 1);
    number.decimals = end - number.end - 1;
    if (number.decimals > decimals_max) return {};
    ScaledNumber part = unit;
    for (std::size_t i = number.end + 1; i < end; ++i)
      number.value += (text[i] - '0') * (part /= 10);
    number.end = end;
  }
  const bool year = number.decimals == 0 && !number.grouped && number.value >= first_year &&
                    number.value < last_year && !behind_currency(text, begin);
  if (number.value < smallest || year) return {};
  return number;
}

}  // namespace

std::vector<NumberLiteral> numbers_in(std::string_view text) {
  std::vector<NumberLiteral> found;
  for (std::size_t at = text.find_first_of("0123456789"); at != std::string_view::npos;
       at = text.find_first_of("0123456789", at)) {
    const auto number = begins_inside(text, at) ? std::nullopt : literal_at(text, at);
    if (number && !ends_inside(text, number->end)) {
      found.push_back(*number);
      at = number->end;
      continue;
    }
    // The rest of what it is a part of is no number either.
    while (at < text.size() &&
           (is_alnum(text[at]) ||
            (std::string_view(".,:/-_").contains(text[at]) && digit_at(text, at + 1))))
      ++at;
  }
  return found;
}

ScaledNumber scaled(ScaledNumber value, std::uint32_t factor_e4) {
  ScaledNumber step = unit;  // of the last decimal that the value needs
  while (value % step != 0) step /= 10;
  // In two parts: a number of twelve digits and four decimals times the factor is above 2^63.
  const ScaledNumber steps = value / step;
  const ScaledNumber whole = steps / unit * factor_e4;
  return (whole + (steps % unit * factor_e4 + unit / 2) / unit) * step;
}

std::string written_as(ScaledNumber value, const NumberLiteral& like) {
  std::string whole = std::to_string(value / unit);
  if (like.grouped) {
    for (std::size_t at = whole.size(); at > group_digits;) whole.insert(at -= group_digits, ",");
  }
  if (like.decimals == 0) return whole;
  std::string fraction = std::to_string(unit + value % unit).substr(1);
  return whole + "." + fraction.substr(0, like.decimals);
}

}  // namespace understudy::s2
