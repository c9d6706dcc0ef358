#include "steps/s2_curate/surrogate/id_surrogates.hpp"

#include <algorithm>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/surrogate/keyed_stream.hpp"
#include "steps/s2_curate/surrogate/surrogate_forms.hpp"

namespace understudy::s2 {

namespace {

// First everything changes; where no form allows that, the letters in front stay ("DE" of a VAT
// id), and then all letters.
constexpr std::uint32_t attempts_changing_all = 96;
constexpr std::uint32_t attempts_keeping_front = 192;

std::size_t kept_letters(std::string_view value, std::uint32_t attempt) {
  if (attempt < attempts_changing_all) return 0;
  if (attempt >= attempts_keeping_front) return value.size();
  const auto digit = std::ranges::find_if(value, is_digit);
  return static_cast<std::size_t>(digit - value.begin());
}

char next_in_class(char c) {
  if (is_digit(c)) return c == '9' ? '0' : static_cast<char>(c + 1);
  return c == 'Z' ? 'A' : static_cast<char>(c + 1);
}

std::size_t class_size(char c) { return is_digit(c) ? 10 : 26; }

// The characters of `compact` in the places of the letters and digits of `written`.
std::string in_form(std::string_view compact, std::string_view written) {
  std::string out(written);
  std::size_t next = 0;
  for (char& c : out) {
    if (is_alnum(c) && next < compact.size()) c = compact[next++];
  }
  return out;
}

}  // namespace

std::optional<std::string> draw_id(const SecretText& key, const IdFinder& rules,
                                   const EntityTable::value_type& original, std::uint32_t attempt) {
  const auto& [id, facts] = original;
  const std::string& written = facts.written.empty() ? id.value : *facts.written.begin();
  const Verdict wanted = rules.verify(id.type, written);
  KeyedStream stream(key, label_of(id, attempt));
  std::string drawn = upper_ascii(stand_in(id.value, stream));
  const std::size_t kept = kept_letters(id.value, attempt);
  for (std::size_t i = 0; i < std::min(kept, drawn.size()); ++i) {
    if (is_letter(id.value[i])) drawn[i] = id.value[i];
  }
  if (wanted == Verdict::no || drawn.size() < 2) return drawn;
  // Check digits stand at the end nearly everywhere: try them all, from where the draw is.
  char& last = drawn[drawn.size() - 1];
  char& before = drawn[drawn.size() - 2];
  const std::size_t befores = is_digit(before) ? class_size(before) : 1;
  for (std::size_t i = 0; i < befores; ++i) {
    for (std::size_t j = 0; j < class_size(last); ++j) {
      if (rules.verify(id.type, in_form(drawn, written)) == wanted) return drawn;
      last = next_in_class(last);
    }
    if (befores > 1) before = next_in_class(before);
  }
  return std::nullopt;
}

}  // namespace understudy::s2
