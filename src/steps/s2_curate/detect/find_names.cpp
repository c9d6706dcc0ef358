#include "steps/s2_curate/detect/find_names.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "steps/s2_curate/detect/name_text.hpp"

namespace understudy::s2 {

namespace {

constexpr double repeated_score = 0.6;
constexpr std::size_t repeated_bytes_min = 4;

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

}  // namespace

void NameFinder::find(const Leaf& leaf, double score_min, std::vector<Entity>& found) const {
  NameText words(leaf, gazetteer_);
  find_addresses(words);
  find_organizations(words);
  find_people(words, leaf.key);
  find_places(words, leaf.key);
  find_repeated(words);
  for (Entity& entity : words.found) {
    if (entity.score >= score_min) found.push_back(std::move(entity));
  }
}

}  // namespace understudy::s2
