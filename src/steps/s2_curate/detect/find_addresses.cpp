#include <algorithm>
#include <array>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/name_text.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t words_left_max = 6;
constexpr std::size_t words_right_max = 16;
constexpr std::size_t lines_right_max = 4;
constexpr std::size_t house_number_bytes_max = 6;
constexpr double score = 0.75;

// One-word streets: "Wiesenstrasse", "Marnixkade", "Bergvägen".
constexpr auto street_ends_in_word = std::to_array<std::string_view>({"strasse",
                                                                      "stra\xc3\x9f"
                                                                      "e",
                                                                      "stra\xc3\x9f",
                                                                      "gasse",
                                                                      "allee",
                                                                      "platz",
                                                                      "damm",
                                                                      "ufer",
                                                                      "straat",
                                                                      "laan",
                                                                      "weg",
                                                                      "plein",
                                                                      "gracht",
                                                                      "kade",
                                                                      "dreef",
                                                                      "dijk",
                                                                      "singel",
                                                                      "hof",
                                                                      "gatan",
                                                                      "gata",
                                                                      "v\xc3\xa4gen",
                                                                      "v\xc3\xa4g",
                                                                      "gr\xc3\xa4nd",
                                                                      "gade",
                                                                      "vej",
                                                                      "all\xc3\xa9",
                                                                      "stien",
                                                                      "veien",
                                                                      "veg",
                                                                      "vegen",
                                                                      "gaten",
                                                                      "bakken",
                                                                      "katu",
                                                                      "kuja",
                                                                      "polku",
                                                                      "tie",
                                                                      "raitti",
                                                                      "utca",
                                                                      "g\xc3\xb6tu",
                                                                      "gatu",
                                                                      "str\xc3\xa6"
                                                                      "de",
                                                                      "ring",
                                                                      "steig",
                                                                      "pfad"});
constexpr Endings street_endings(street_ends_in_word);

// What announces an address.
constexpr auto cues_phrases = std::to_array<std::string_view>(
    {" address is ",  " address to ",   " address: ",     " address:  ",  " address:     ",
     " sent to ",     " send to ",      " send it to ",   " lives at ",   " live at ",
     " located at ",  " is at ",        " meet me at ",   " arrived at ", " taxi to ",
     " return to ",   " returned to ",  " delivered to ", " deliver to ", " ship to ",
     " shipped to ",  " address with ", " corner of ",    " address of ", " resides at ",
     " residing at ", " found at ",     " street: ",      " home: ",      " address "});
constexpr Cues cues(cues_phrases);

bool is_number(const NameText& words, std::size_t i) {
  return words[i].form == Word::Form::number &&
         words[i].end - words[i].begin <= house_number_bytes_max;
}

bool is_street_word(const NameText& words, std::size_t i) {
  return words[i].end - words[i].begin >= 6 && street_endings.end(words.lower(i), 3);
}

bool may_be_part(const NameText& words, std::size_t i) {
  return words[i].is_capital() || is_number(words, i) ||
         words[i].is(particle | unit_word | street_end | street_begin) ||
         (words.all_lower() && words[i].form == Word::Form::lower && !words[i].is(common_word) &&
          words[i].end - words[i].begin > 1);
}

bool is_space_gap(std::string_view gap) {
  return gap == " " || gap == ", " || gap == ". " || gap == " . " || gap == "," || gap == "." ||
         gap == "/" || gap == "-" || gap == "'";
}

// From the street to the house number before it: "92 Eusebio Street".
std::size_t leftmost(const NameText& words, std::size_t anchor) {
  std::size_t first = anchor;
  bool number_seen = false;
  while (first > 0 && anchor - first < words_left_max) {
    const std::string_view gap = words.gap_after(first - 1);
    const std::size_t before = first - 1;
    if (gap.contains('\n') ||
        !(gap == " " || gap == ". " || gap == "/" || gap == ", " || gap == "'" || gap == "-"))
      break;
    if (is_number(words, before)) {
      number_seen = true;
      first = before;
      continue;
    }
    if (number_seen) break;
    const bool goes_on = words[before].is_capital() ||
                         (words[before].is(particle) && words[before].form == Word::Form::lower) ||
                         (words.all_lower() && words[before].form == Word::Form::lower &&
                          !words[before].is(common_word));
    if (!goes_on || (gap == ", " && !words[before].is(unit_word))) break;
    if (words.begins_sentence(before) && words[before].is(common_word) &&
        !words[before].is(street_begin | unit_word))
      break;
    first = before;
  }
  while (first < anchor && words[first].is(particle) && words[first].form == Word::Form::lower)
    ++first;
  return first;
}

// A telephone number, a date or a new paragraph ends an address.
bool ends_before(const NameText& words, std::size_t next, std::string_view gap) {
  if (std::ranges::count(gap, '\n') > 1) return true;
  if (!may_be_part(words, next)) return true;
  if (is_number(words, next) && gap.contains('\n')) {
    const std::string_view after = words.gap_after(next);
    const bool digits_follow =
        next + 1 < words.size() && words[next + 1].form == Word::Form::number;
    return digits_follow && (after == "-" || after == " " || after == "." || after == ")");
  }
  return gap.find_first_not_of(" ,.\n/-'#") != std::string_view::npos;
}

std::size_t rightmost(const NameText& words, std::size_t anchor) {
  std::size_t last = anchor;
  std::size_t lines = 0;
  std::size_t solid = anchor;  // the last word that may end an address
  while (last + 1 < words.size() && last - anchor < words_right_max) {
    const std::string_view gap = words.gap_after(last);
    if (ends_before(words, last + 1, gap)) break;
    const bool line = gap.contains('\n');
    if (line && ++lines > lines_right_max) break;
    if (!line && !is_space_gap(gap) && gap.find_first_not_of(" ,.#") != std::string_view::npos)
      break;
    // A full stop ends the sentence, but behind an abbreviation or before a number.
    if (gap.starts_with('.') && !line && words[last].end - words[last].begin > 4 &&
        words[last + 1].is_capital() && !words[last + 1].is(unit_word))
      break;
    if (words[last + 1].is(common_word) &&
        !words[last + 1].is(unit_word | street_end | street_begin | city | country | surname |
                            given_name) &&
        (gap.contains('.') || words[last + 1].form == Word::Form::lower))
      break;
    ++last;
    if (!(words[last].is(particle) && words[last].form == Word::Form::lower)) solid = last;
  }
  return solid;
}

bool has_number(const NameText& words, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i <= last; ++i) {
    if (words[i].form == Word::Form::number) return true;
  }
  return false;
}

// "35 Kromwater 38", "1 Microsoft Way": a number, a name, and what ends a line of an address.
bool begins_house_line(const NameText& words, std::size_t i) {
  if (!is_number(words, i) || i + 2 >= words.size() || words.gap_after(i) != " ") return false;
  std::size_t at = i + 1;
  while (at < words.size() && is_number(words, at) && at - i < 2 && words.gap_after(at) == " ")
    ++at;
  const std::size_t name = at;
  while (at < words.size() && at - name < 5 && (words[at].is_capital() || words[at].is(particle)) &&
         !words[at].is(organization_end)) {
    ++at;
    if (at >= words.size() || !(words.gap_after(at - 1) == " " || words.gap_after(at - 1) == ". "))
      break;
  }
  return at > name && at < words.size() && is_number(words, at) && words.gap_after(at - 1) == " " &&
         (words.gap_after(at).starts_with('\n') || words.gap_after(at).starts_with(',') ||
          words.gap_after(at).empty() || words.gap_after(at) == " ");
}

// "Springfield IL 62704": a state and a postal code.
bool is_state_and_code(const NameText& words, std::size_t i) {
  return words[i].form == Word::Form::upper && words[i].end - words[i].begin == 2 &&
         i + 1 < words.size() && words[i + 1].form == Word::Form::number &&
         words[i + 1].end - words[i + 1].begin == 5 &&
         (words.gap_after(i) == " " || words.gap_after(i) == "\n ");
}

bool is_anchor(const NameText& words, std::size_t i) {
  const Word& word = words[i];
  const bool capital = word.is_capital() || words.all_lower();
  if (!capital) return begins_house_line(words, i);
  const bool name_before =
      i > 0 && (words[i - 1].is_capital() || words.all_lower() || is_number(words, i - 1)) &&
      (words.gap_after(i - 1) == " " || words.gap_after(i - 1) == ". ");
  const bool name_behind =
      i + 1 < words.size() &&
      (words[i + 1].is_capital() || words.all_lower() || words[i + 1].is(particle)) &&
      (words.gap_after(i) == " " || words.gap_after(i) == ". " || words.gap_after(i) == "/ ");
  const bool number_behind =
      i + 1 < words.size() && is_number(words, i + 1) &&
      (words.gap_after(i) == " " || words.gap_after(i) == ". " || words.gap_after(i) == " #");
  if (word.is(unit_word)) return number_behind && !word.is(particle);
  if (word.is(street_begin) && (name_behind || number_behind)) return true;
  if ((number_behind || name_before) && is_street_word(words, i)) return true;
  if (is_state_and_code(words, i)) return true;
  return word.is(street_end) && name_before && !words[i - 1].is(common_word | title);
}

bool is_plausible(const NameText& words, std::size_t anchor, std::size_t first, std::size_t last,
                  bool cued) {
  if (cued || words[anchor].is(unit_word) || is_state_and_code(words, anchor)) return true;
  if (has_number(words, first, last)) return true;
  // "Abbey Road" alone is a place too; "Second Way" or "High Value" are not.
  constexpr auto sure = std::to_array<std::string_view>(
      {"street", "avenue", "road", "lane", "boulevard", "rue", "calle", "avenida", "via"});
  return !words.all_lower() && first < last &&
         (is_one_of(words.lower(anchor), sure) || is_street_word(words, anchor));
}

void take_address(NameText& words, std::size_t first, std::size_t last, double sure) {
  for (std::size_t i = first; i <= last; ++i) {
    if (words.is_taken(i)) return;
  }
  words.take(EntityType::location, first, last, sure);
}

}  // namespace

void find_addresses(NameText& words) {
  for (std::size_t i = words.next_telling(0); i < words.size(); i = words.next_telling(i + 1)) {
    if (words.is_taken(i)) continue;
    const bool possible_start = is_number(words, i) || words[i].is_capital();
    if (possible_start && words.gap_before(i).ends_with(' ') && words.follows(i, cues)) {
      const std::size_t last = rightmost(words, i);
      const bool telling = has_number(words, i, last) && last > i;
      if (telling || is_anchor(words, i)) {
        take_address(words, i, last, score);
        i = last;
        continue;
      }
    }
    if (!is_anchor(words, i)) continue;
    const std::size_t first = leftmost(words, i);
    const std::size_t last = rightmost(words, i);
    if (!is_plausible(words, i, first, last, false)) continue;
    take_address(words, first, last, has_number(words, first, last) ? score : 0.55);
    i = last;
  }
}

}  // namespace understudy::s2
