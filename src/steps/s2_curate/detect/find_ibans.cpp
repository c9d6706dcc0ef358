#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/checksums.hpp"
#include "steps/s2_curate/detect/finders.hpp"

namespace understudy::s2 {

std::optional<Entity> find_iban(const Leaf& leaf, std::size_t begin) {
  const std::string_view text = leaf.text;
  if (continues_word_before(text, begin)) return std::nullopt;
  const std::size_t length = iban_length(upper_ascii(text.substr(begin, 2)));
  std::string compact;
  std::size_t at = begin;
  while (at < text.size() && compact.size() < length) {
    const char c = text[at];
    const bool separator = (c == ' ' || c == '-') && at > 0 && is_alnum(text[at - 1]);
    if (is_alnum(c)) {
      compact += to_upper(c);
    } else if (!separator) {
      return std::nullopt;
    }
    ++at;
  }
  if (length == 0 || !is_iban(compact) || continues_word_after(text, at)) return std::nullopt;
  return Entity{.type = EntityType::iban, .begin = begin, .end = at, .value = compact};
}

}  // namespace understudy::s2
