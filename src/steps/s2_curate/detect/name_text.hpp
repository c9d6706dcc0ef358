// A text as the name finders see it: its words with what the gazetteer knows of them, and what is
// already part of a name. Private to detect. One thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "steps/s2_curate/detect/entity.hpp"
#include "steps/s2_curate/detect/finders.hpp"
#include "steps/s2_curate/detect/gazetteer.hpp"
#include "steps/s2_curate/detect/words.hpp"

namespace understudy::s2 {

// Phrases that stand before a name, in lower case, with a filter by their last bytes: most words
// follow none of them.
class Cues {
 public:
  template <std::size_t count>
  explicit constexpr Cues(const std::array<std::string_view, count>& phrases) : phrases_(phrases) {
    for (const std::string_view phrase : phrases) filter_[slot(phrase)] = true;
  }
  // By its last filtered_bytes alone.
  static constexpr std::size_t filtered_bytes = 4;
  [[nodiscard]] bool may_end(std::string_view lower_text) const {
    return filter_[slot(lower_text)];
  }
  // Does the text end with one of them?
  [[nodiscard]] bool end(std::string_view lower_text) const;

 private:
  static constexpr std::size_t slot(std::string_view text) {
    std::size_t hash = 0;
    for (std::size_t i = 2; i <= filtered_bytes && i <= text.size(); ++i)
      hash = hash * 31 + static_cast<unsigned char>(text[text.size() - i]);
    return hash % 1024;
  }
  std::span<const std::string_view> phrases_;
  std::array<bool, 1024> filter_{};
};

class NameText {
 public:
  NameText(const Leaf& leaf, const Gazetteer& gazetteer);

  [[nodiscard]] std::size_t size() const { return words_.size(); }
  [[nodiscard]] const Word& operator[](std::size_t i) const { return words_[i]; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view written(std::size_t i) const;
  [[nodiscard]] std::string lower(std::size_t i) const { return lower_unicode(written(i)); }
  // What stands between a word and the next one.
  [[nodiscard]] std::string_view gap_after(std::size_t i) const;
  [[nodiscard]] std::string_view gap_before(std::size_t i) const;

  // A word that may be a name: a capital, or any word of a text that has none at all.
  [[nodiscard]] bool may_name(std::size_t i) const;
  // Nothing that the gazetteer knows.
  [[nodiscard]] bool is_unknown(std::size_t i) const { return words_[i].flags == 0; }
  [[nodiscard]] bool begins_sentence(std::size_t i) const;
  // Does the text before the word end with one of these?
  [[nodiscard]] bool follows(std::size_t i, const Cues& phrases) const;
  [[nodiscard]] bool all_lower() const { return all_lower_; }
  // The last word of the longest phrase of the gazetteer from i with one of the flags, and its
  // flags.
  struct Phrase {
    std::size_t last = 0;
    std::uint32_t flags = 0;
  };
  [[nodiscard]] Phrase phrase_from(std::size_t i) const;

  [[nodiscard]] bool is_taken(std::size_t i) const { return taken_[i]; }
  void take(EntityType type, std::size_t first, std::size_t last, double score);
  std::vector<Entity> found;

 private:
  std::string_view text_;
  const Gazetteer& gazetteer_;
  std::vector<Word> words_;
  std::vector<bool> taken_;
  bool all_lower_ = false;
};

// Each looks at the words that the ones before it left.
void find_addresses(NameText& words);
void find_organizations(NameText& words);
void find_people(NameText& words, std::string_view key);
void find_places(NameText& words, std::string_view key);

bool is_one_of(std::string_view word, std::span<const std::string_view> words);

}  // namespace understudy::s2
