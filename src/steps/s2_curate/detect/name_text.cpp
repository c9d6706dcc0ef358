#include "steps/s2_curate/detect/name_text.hpp"

#include <algorithm>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t cue_bytes_max = 40;
constexpr std::size_t small_word_bytes_max = 9;

}  // namespace

NameText::NameText(const Leaf& leaf, const Gazetteer& gazetteer)
    : text_(leaf.text), gazetteer_(gazetteer), words_(split_words(leaf.text)) {
  taken_.resize(words_.size());
  all_lower_ = std::ranges::none_of(
      words_, [](const Word& word) { return word.is_capital() || word.form == Word::Form::mixed; });
  for (std::size_t i = 0; i < words_.size(); ++i) {
    Word& word = words_[i];
    if (word.form == Word::Form::mixed) continue;
    if (word.form != Word::Form::lower || all_lower_) word.cue_slot = cue_slot(i);
    if (word.form == Word::Form::number) continue;
    // Between capitals and numbers small words count: "van", "de", "apt".
    if (word.form == Word::Form::lower && !all_lower_ &&
        (i == 0 || words_[i - 1].form == Word::Form::mixed ||
         (words_[i - 1].form == Word::Form::lower && !words_[i - 1].is(particle)) ||
         word.end - word.begin > small_word_bytes_max))
      continue;
    std::string name = lower(i);
    word.flags = gazetteer_.word(name);
    if (word.flags != 0) continue;
    if (const std::size_t hyphen = name.find('-'); hyphen != std::string::npos)
      word.flags = gazetteer_.word(name.substr(0, hyphen)) & (given_name | surname | city);
  }
}

std::string_view NameText::written(std::size_t i) const {
  return text_.substr(words_[i].begin, words_[i].end - words_[i].begin);
}

std::string_view NameText::gap_after(std::size_t i) const {
  const std::size_t end = i + 1 < words_.size() ? words_[i + 1].begin : text_.size();
  return text_.substr(words_[i].end, end - words_[i].end);
}

std::string_view NameText::gap_before(std::size_t i) const {
  return i > 0 ? gap_after(i - 1) : text_.substr(0, words_[i].begin);
}

bool NameText::begins_sentence(std::size_t i) const {
  const std::string_view gap = gap_before(i);
  return i == 0 || gap.find_first_of(".!?:\n\"") != std::string_view::npos;
}

std::uint16_t NameText::cue_slot(std::size_t i) const {
  const std::size_t end = words_[i].begin;
  if (end == 0 || (text_[end - 1] != ' ' && text_[end - 1] != ':' && text_[end - 1] != '\n'))
    return Cues::no_slot;
  std::array<char, Cues::filtered_bytes> tail;
  for (std::size_t k = 0; k < tail.size(); ++k) {
    const char c = end + k >= tail.size() ? text_[end + k - tail.size()] : ' ';
    tail[k] = c == '\n' ? ' ' : to_lower(c);
  }
  return Cues::slot({tail.data(), tail.size()});
}

bool NameText::ends_before(std::size_t i, const Cues& phrases) const {
  const std::size_t end = words_[i].begin;
  std::array<char, cue_bytes_max + 1> before;
  const std::size_t bytes = std::min(end, cue_bytes_max);
  before[0] = ' ';  // a text begins as a sentence does
  for (std::size_t k = 0; k < bytes; ++k) {
    const char c = text_[end - bytes + k];
    before[k + 1] = c == '\n' ? ' ' : to_lower(c);
  }
  return phrases.end({before.data(), bytes + 1});
}

bool Cues::end(std::string_view lower_text) const {
  return may_end(slot(lower_text)) && std::ranges::any_of(phrases_, [&](std::string_view phrase) {
           return lower_text.ends_with(phrase);
         });
}

bool Endings::end(std::string_view lower_word, std::size_t stem_bytes_min) const {
  return lower_word.size() >= 2 && filter_[slot(lower_word)] &&
         std::ranges::any_of(endings_, [&](std::string_view ending) {
           return lower_word.ends_with(ending) &&
                  lower_word.size() >= ending.size() + stem_bytes_min;
         });
}

NameText::Phrase NameText::phrase_from(std::size_t i) const {
  Phrase longest;
  if (!words_[i].is(begins_phrase)) return longest;
  std::string name = lower(i);
  for (std::size_t k = i + 1; k < std::min(words_.size(), i + phrase_words_max); ++k) {
    const std::string_view gap = gap_after(k - 1);
    if (gap != " " && gap != "-" && gap != ". " && gap != " & ") break;
    name += gap;
    name += lower(k);
    if (const std::uint32_t flags = gazetteer_.phrase(name); flags != 0)
      longest = {.last = k, .flags = flags};
  }
  return longest;
}

void NameText::take(EntityType type, std::size_t first, std::size_t last, double score) {
  for (std::size_t i = first; i <= last; ++i) taken_[i] = true;
  const std::size_t begin = words_[first].begin;
  const std::size_t end = words_[last].end;
  found.push_back({.type = type,
                   .begin = begin,
                   .end = end,
                   .value = std::string(text_.substr(begin, end - begin)),
                   .score = score});
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace understudy::s2
