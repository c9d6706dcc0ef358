#include "steps/s2_curate/detect/find_names.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/name_text.hpp"

namespace understudy::s2 {

namespace {

constexpr double repeated_score = 0.6;
constexpr std::size_t repeated_bytes_min = 4;
constexpr std::size_t code_bytes_max = 3;

// "Smith" where "Mary Smith" was found in the same text.
void find_repeated(NameText& words) {
  std::map<std::string, bool, std::less<>> parts;
  for (const Entity& entity : words.found) {
    if (entity.type != EntityType::person || entity.score < repeated_score) continue;
    const std::vector<Word> split = split_words(entity.value);
    if (split.size() < 2) continue;
    for (const Word& part : split) {
      const std::string_view name =
          std::string_view(entity.value).substr(part.begin, part.end - part.begin);
      if (part.is_capital() && name.size() >= repeated_bytes_min) parts[std::string(name)] = true;
    }
  }
  if (parts.empty()) return;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words.is_taken(i) && words[i].is_capital() && parts.contains(words.written(i)))
      words.take(EntityType::person, i, i, repeated_score);
  }
}

// "MIA" and "BOS" are airports, "DON'T" is no name, and "Francisco" follows "San". Under a key that
// says "name" all of them may be.
bool is_no_person(const NameText& words, const Entity& entity, std::string_view key,
                  const Gazetteer& gazetteer) {
  if (entity.type != EntityType::person || lower_ascii(key).contains("name")) return false;
  if (entity.value.size() <= code_bytes_max && std::ranges::all_of(entity.value, is_upper))
    return true;
  const std::string_view text = words.text();
  const std::string_view after = text.substr(entity.end, 2);
  if (after == "'t" || after == "'T") return true;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].begin != entity.begin) continue;
    if (words.gap_before(i) != " ") return false;
    const std::uint32_t flags = gazetteer.phrase(words.lower(i - 1) + " " + words.lower(i));
    return (flags & (city | country)) != 0;
  }
  return false;
}

}  // namespace

void NameFinder::find(const Leaf& leaf, double score_min, std::vector<Entity>& found) const {
  NameText words(leaf, gazetteer_);
  find_addresses(words);
  find_organizations(words);
  find_people(words, leaf.key);
  find_places(words, leaf.key);
  find_repeated(words);
  for (Entity& entity : words.found) {
    if (entity.score < score_min || is_no_person(words, entity, leaf.key, gazetteer_)) continue;
    found.push_back(std::move(entity));
  }
}

}  // namespace understudy::s2
