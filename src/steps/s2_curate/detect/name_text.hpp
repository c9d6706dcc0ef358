// A text as the name finders see it: its words with what the gazetteer knows of them, and what is
// already part of a name. Private to detect. One thread.
#pragma once

#include <array>
#include <cstdint>
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
  // By the slot of its last filtered_bytes alone.
  static constexpr std::size_t filtered_bytes = 4;
  static constexpr std::uint16_t no_slot = 1024;  // no phrase ends so
  static constexpr std::uint16_t slot(std::string_view text) {
    std::size_t hash = 0;
    for (std::size_t i = 2; i <= filtered_bytes && i <= text.size(); ++i)
      hash = hash * 31 + static_cast<unsigned char>(text[text.size() - i]);
    return static_cast<std::uint16_t>(hash % no_slot);
  }
  [[nodiscard]] bool may_end(std::uint16_t slot) const { return filter_[slot]; }
  // Does the text end with one of them?
  [[nodiscard]] bool end(std::string_view lower_text) const;

 private:
  std::span<const std::string_view> phrases_;
  std::array<bool, no_slot + 1> filter_{};
};

// Endings of words, of two bytes and more, with a filter by their last two.
class Endings {
 public:
  template <std::size_t count>
  explicit constexpr Endings(const std::array<std::string_view, count>& endings)
      : endings_(endings) {
    for (const std::string_view ending : endings) filter_[slot(ending)] = true;
  }
  // Does the word end with one of them, with that many bytes before it?
  [[nodiscard]] bool end(std::string_view lower_word, std::size_t stem_bytes_min = 0) const;

 private:
  static constexpr std::size_t slot(std::string_view text) {
    return (static_cast<unsigned char>(text[text.size() - 2]) * std::size_t{31} +
            static_cast<unsigned char>(text[text.size() - 1])) %
           1024;
  }
  std::span<const std::string_view> endings_;
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
  [[nodiscard]] bool may_name(std::size_t i) const {
    const Word& word = words_[i];
    return word.is_capital() ||
           (all_lower_ && word.form == Word::Form::lower && word.end - word.begin > 2);
  }
  // The first word from i on that is a capital, a number, or one of a text that has no capital:
  // no name, place or address begins with another, and most words are others. size(): none.
  [[nodiscard]] std::size_t next_telling(std::size_t i) const {
    if (all_lower_) return i;
    while (i < words_.size() &&
           (words_[i].form == Word::Form::lower || words_[i].form == Word::Form::mixed))
      ++i;
    return i;
  }
  // Nothing that the gazetteer knows.
  [[nodiscard]] bool is_unknown(std::size_t i) const { return words_[i].flags == 0; }
  [[nodiscard]] bool begins_sentence(std::size_t i) const;
  // Does the text before the word end with one of these?
  [[nodiscard]] bool follows(std::size_t i, const Cues& phrases) const {
    return phrases.may_end(words_[i].cue_slot) && ends_before(i, phrases);
  }
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
  [[nodiscard]] std::uint16_t cue_slot(std::size_t i) const;
  [[nodiscard]] bool ends_before(std::size_t i, const Cues& phrases) const;

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
