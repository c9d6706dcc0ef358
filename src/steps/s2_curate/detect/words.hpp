// A text as words and numbers, the way names are made of them: "O'Brien" and "Jean-Pierre" are one
// word, "Mary's" is "Mary". Letters are those of the Latin, Greek and Cyrillic alphabets. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::s2 {

// Lower case of ASCII, Latin, Greek and Cyrillic letters; all else as it is.
std::string lower_unicode(std::string_view text);

struct Word {
  enum class Form : std::uint8_t { lower, capital, upper, mixed, number };
  std::size_t begin = 0;
  std::size_t end = 0;
  Form form = Form::lower;
  std::uint16_t cue_slot = 0;  // of what stands before it, for words that may be names
  std::uint32_t flags = 0;     // of the gazetteer, for words that may be names

  [[nodiscard]] bool is_capital() const { return form == Form::capital || form == Form::upper; }
  [[nodiscard]] bool is(std::uint32_t flag) const { return (flags & flag) != 0; }
};

std::vector<Word> split_words(std::string_view text);
void split_words(std::string_view text, std::vector<Word>& words);  // into memory that is there

}  // namespace understudy::s2
