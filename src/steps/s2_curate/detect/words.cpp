#include "steps/s2_curate/detect/words.hpp"

#include <array>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

struct Letter {
  std::uint8_t bytes = 0;  // 0: no letter
  bool upper = false;
};

std::uint32_t code_of(std::string_view text, std::size_t at) {
  return (static_cast<std::uint32_t>(text[at]) & 0x1fU) << 6U |
         (static_cast<std::uint32_t>(text[at + 1]) & 0x3fU);
}

// Capital letters of two bytes: Latin-1, Latin Extended-A, Greek, Cyrillic.
bool is_upper_code(std::uint32_t code) {
  if (code >= 0xc0 && code <= 0xde) return code != 0xd7;
  if ((code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17e)) return code % 2 == 1;
  if (code >= 0x100 && code <= 0x177) return code % 2 == 0;
  if (code >= 0x218 && code <= 0x21b) return code % 2 == 0;
  if (code >= 0x386 && code <= 0x3ab) return code <= 0x38f || code >= 0x391;
  return code >= 0x400 && code <= 0x42f;
}

std::uint32_t lower_code(std::uint32_t code) {
  if (!is_upper_code(code)) return code;
  if (code >= 0x410 && code <= 0x42f) return code + 0x20;
  if (code >= 0x400 && code <= 0x40f) return code + 0x50;
  if (code >= 0x391 && code <= 0x3ab) return code + 0x20;
  if (code == 0x386) return 0x3ac;
  if (code >= 0x388 && code <= 0x38a) return code + 0x25;
  if (code == 0x38c) return 0x3cc;
  if (code == 0x38e || code == 0x38f) return code + 0x3f;
  if (code <= 0xde) return code + 0x20;
  return code + 1;
}

inline Letter letter_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  const char c = text[at];
  if (is_letter(c)) return {.bytes = 1, .upper = is_upper(c)};
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0xc3 && byte <= 0xd4 && at + 1 < text.size() && is_continuation(text[at + 1]))
    return {.bytes = 2, .upper = is_upper_code(code_of(text, at))};
  return {};
}

// "O'Brien", "D'Angelo", "Jean-Pierre", "Müller-Lüdenscheid"; "don't" and "Mary's" end before.
std::size_t joint_bytes(std::string_view text, std::size_t at, std::size_t word_bytes) {
  if (at >= text.size()) return 0;
  if (text[at] == '-') return letter_at(text, at + 1).upper ? 1 : 0;
  if (text[at] == '\'' && word_bytes <= 2) return letter_at(text, at + 1).upper ? 1 : 0;
  if (text.substr(at, 3) == "\xe2\x80\x99" && word_bytes <= 2)
    return letter_at(text, at + 3).upper ? 3 : 0;
  return 0;
}

// A digit, a letter, or the first byte of a letter.
constexpr auto word_starts = [] {
  std::array<bool, 256> starts{};
  for (unsigned byte = 0; byte < starts.size(); ++byte)
    starts[byte] = is_alnum(static_cast<char>(byte)) || (byte >= 0xc3 && byte <= 0xd4);
  return starts;
}();
bool may_start_word(char c) { return word_starts[static_cast<unsigned char>(c)]; }

// Most words: lower-case letters, and nothing behind that goes on with them. 0: another word.
std::size_t end_of_plain_word(std::string_view text, std::size_t begin) {
  const char* const bytes = text.data();
  std::size_t at = begin;
  while (at < text.size() && is_lower(bytes[at])) ++at;
  if (at == begin || at == text.size()) return at == begin ? 0 : at;
  const char next = bytes[at];
  const bool ends = (next & '\x80') == 0 && next != '-' && next != '\'' && !is_letter(next);
  return ends ? at : 0;
}

Word read_word(std::string_view text, std::size_t begin) {
  if (const std::size_t end = end_of_plain_word(text, begin); end > 0)
    return {.begin = begin, .end = end};
  std::size_t at = begin;
  std::size_t uppers = 0;
  std::size_t letters = 0;
  bool first_upper = false;
  bool inner_upper = false;  // "iPhone", "McDonald": behind a lower-case letter
  bool after_joint = false;
  bool last_lower = false;
  while (true) {
    const Letter letter = letter_at(text, at);
    if (letter.bytes == 0) {
      const std::size_t joint = letters > 0 ? joint_bytes(text, at, at - begin) : 0;
      if (joint == 0) break;
      at += joint;
      after_joint = true;
      last_lower = false;
      continue;
    }
    if (letter.bytes == 1 && !letter.upper) {  // most letters: a run of lower-case ASCII
      const std::size_t from = at;
      while (at < text.size() && is_lower(text[at])) ++at;
      letters += at - from;
      last_lower = true;
      after_joint = false;
      continue;
    }
    if (letters == 0) first_upper = letter.upper;
    if (letter.upper) ++uppers;
    if (letter.upper && last_lower && !after_joint) inner_upper = true;
    last_lower = !letter.upper;
    after_joint = false;
    ++letters;
    at += letter.bytes;
  }
  Word word{.begin = begin, .end = at};
  if (uppers == 0) {
    word.form = Word::Form::lower;
  } else if (uppers == letters && letters > 1) {
    word.form = Word::Form::upper;
  } else if (uppers > 1 && letters == uppers + 1 && text[at - 1] == 's') {
    word.form = Word::Form::mixed;  // "IDs", "URLs"
  } else if (first_upper && !inner_upper) {
    word.form = Word::Form::capital;
  } else {
    word.form = first_upper && (text.substr(begin, 2) == "Mc" || text.substr(begin, 3) == "Mac")
                    ? Word::Form::capital
                    : Word::Form::mixed;
  }
  return word;
}

}  // namespace

std::string lower_unicode(std::string_view text) {
  std::string out(text);
  char* const bytes = out.data();
  for (std::size_t i = 0; i < out.size(); ++i) {
    if ((bytes[i] & '\x80') == 0 || letter_at(text, i).bytes != 2) {
      bytes[i] = to_lower(bytes[i]);
      continue;
    }
    const std::uint32_t code = lower_code(code_of(text, i));
    bytes[i] = static_cast<char>(0xc0U | code >> 6U);
    bytes[++i] = static_cast<char>(0x80U | (code & 0x3fU));
  }
  return out;
}

void split_words(std::string_view text, std::vector<Word>& words) {
  words.clear();
  words.reserve(text.size() / 6 + 1);
  const char* const bytes = text.data();
  const std::size_t size = text.size();
  std::size_t at = 0;
  while (true) {
    while (at < size && !may_start_word(bytes[at])) ++at;
    if (at == size) return;
    if (is_digit(bytes[at])) {
      Word number{.begin = at, .end = at, .form = Word::Form::number};
      while (at < size && is_alnum(bytes[at])) ++at;
      number.end = at;
      words.push_back(number);
    } else if (letter_at(text, at).bytes > 0) {
      Word word = read_word(text, at);
      at = word.end;
      // "user_name", "x1": no word of a language.
      if (at < size && (bytes[at] == '_' || is_digit(bytes[at]))) {
        while (at < size && (is_alnum(bytes[at]) || bytes[at] == '_')) ++at;
        word.end = at;
        word.form = Word::Form::mixed;
      }
      words.push_back(word);
    } else {
      ++at;
    }
  }
}

std::vector<Word> split_words(std::string_view text) {
  std::vector<Word> words;
  split_words(text, words);
  return words;
}

}  // namespace understudy::s2
