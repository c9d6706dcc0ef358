#include "steps/s2_curate/detect/secret_values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t value_bytes_max = 512;
constexpr double entropy_bits_min = 2.5;
constexpr double random_entropy_bits_min = 2.8;
constexpr std::size_t repeats_max = 5;  // of one character in a row, but in base64 padding

constexpr auto placeholders = std::to_array<std::string_view>(
    {"change", "example", "placeholder", "your_", "your-", "yourkey", "xxxxx", "****", "...",
     "redacted", "insert", "replace_", "_here", "abcdefgh", "1234567890123"});
constexpr auto placeholder_values = std::to_array<std::string_view>(
    {"dummy", "secret_key", "password", "null", "fake", "sample", "todo", "getenv", "environ",
     "process.env", "undefined", "your", "xxxx", "test_key", "replace"});

bool contains_any(std::string_view value, std::span<const std::string_view> words) {
  const std::string lower = lower_ascii(value);
  return std::ranges::any_of(words, [&](std::string_view word) { return lower.contains(word); });
}

// "aB" or "Ba" inside a run of letters: camelCase has one a word, random letters one in two.
std::size_t case_changes(std::string_view text) {
  std::size_t changes = 0;
  for (std::size_t i = 1; i < text.size(); ++i)
    changes += (is_upper(text[i]) && is_lower(text[i - 1])) ||
               (is_lower(text[i]) && is_upper(text[i - 1]));
  return changes;
}

// Words have a vowel in two or three letters, letters drawn from the alphabet one in five; and
// camelCase changes its case twice a word.
bool are_drawn_letters(std::string_view text) {
  const auto is_vowel = [](char c) { return std::string_view("aeiouAEIOU").contains(c); };
  const auto letters = static_cast<std::size_t>(std::ranges::count_if(text, is_letter));
  const auto vowels = static_cast<std::size_t>(std::ranges::count_if(text, is_vowel));
  return vowels * 10 <= letters * 3 || case_changes(text) * 20 >= text.size() * 9;
}

bool repeats_one_character(std::string_view text) {
  std::size_t run = 1;
  for (std::size_t i = 1; i < text.size(); ++i) {
    run = text[i] == text[i - 1] && text[i] != '=' ? run + 1 : 1;
    if (run > repeats_max && to_lower(text[i]) == 'x') return true;
    if (run > 2 * repeats_max) return true;
  }
  return false;
}

}  // namespace

double entropy_bits(std::string_view text) {
  std::array<int, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool is_placeholder(std::string_view value) { return contains_any(value, placeholders); }

bool is_placeholder_value(std::string_view value) {
  return is_placeholder(value) || contains_any(value, placeholder_values);
}

bool looks_random(std::string_view text) {
  if (repeats_one_character(text) || entropy_bits(text) < random_entropy_bits_min) return false;
  const auto digits = static_cast<std::size_t>(std::ranges::count_if(text, is_digit));
  if (digits == 0) return text.size() >= 20 && are_drawn_letters(text);
  if (text.contains('-') || text.contains('_') || text.contains('.'))
    return digits * 6 >= text.size() || are_drawn_letters(text);
  return true;
}

bool is_assigned_secret(std::string_view value, Quotes quotes, std::size_t bytes_min) {
  if (value.size() < bytes_min || value.size() > value_bytes_max) return false;
  const std::string_view never = quotes == Quotes::some ? "{}<>$%" : "()[]{}<>$\\%";
  const auto is_code = [&](char c) { return is_space(c) || never.contains(c); };
  if (std::ranges::any_of(value, is_code) || is_placeholder_value(value)) return false;
  const bool digit = std::ranges::any_of(value, is_digit);
  const bool letter = std::ranges::any_of(value, is_letter);
  if (digit && letter)
    return entropy_bits(value) >= (quotes == Quotes::some ? 2.0 : entropy_bits_min);
  if (quotes == Quotes::none) return looks_random(value);
  const bool only_letters = std::ranges::all_of(
      value, [](char c) { return is_letter(c) || c == '_' || c == '-' || c == '.'; });
  return only_letters ? looks_random(value) : entropy_bits(value) >= 2.0;
}

}  // namespace understudy::s2
