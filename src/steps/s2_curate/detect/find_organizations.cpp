#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "steps/s2_curate/detect/name_text.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t words_before_end_max = 5;

constexpr auto cues_phrases = std::to_array<std::string_view>(
    {" works at ",    " work at ",      " worked at ",     " working at ",    " works for ",
     " work for ",    " worked for ",   " employed by ",   " employed at ",   " joined ",
     " founder of ",  " founded ",      " ceo of ",        " cto of ",        " cfo of ",
     " director of ", " president of ", " chairman of ",   " acquired by ",   " acquired ",
     " invested in ", " shares of ",    " subsidiary of ", " office of ",     " employees of ",
     " address of ",  " year at ",      " company: ",      " organization: ", " organisation: ",
     " employer: ",   " recorded for ", " on behalf of "});
constexpr Cues cues(cues_phrases);

// What only an organisation does or has, behind its name. Whole words: they end in a space.
constexpr auto deeds = std::to_array<std::string_view>(
    {" invested ",       " invests ",          " office is ",    " offices ",
     " headquarters ",   " is headquartered ", " is hiring ",    " was acquired ",
     " has acquired ",   " shareholders ",     " subsidiaries ", " is a subsidiary ",
     " is a nonprofit ", " is a non-profit ",  " is a 501(c)",   " is the brainchild ",
     " went bankrupt ",  " went public ",      " was founded ",  " employs "});
constexpr std::string_view deed_initials = "ehiosw";  // most words behind a name are no deed

// Ends that no name has by chance; "Center" or "Group" may end a heading.
constexpr auto sure_ends = std::to_array<std::string_view>(
    {"inc",         "ltd",          "llc",     "llp",        "plc", "gmbh", "corp",
     "corporation", "incorporated", "limited", "university", "ag",  "kg",   "bv",
     "ab",          "oyj",          "sarl",    "srl",        "kft", "pty"});

bool joins(std::string_view gap) {
  return gap == " " || gap == " & " || gap == "-" || gap == ", " || gap == ". ";
}

// The first word of the name that ends at `last`; `last` itself where none is before it.
std::size_t first_of(const NameText& words, std::size_t last) {
  std::size_t first = last;
  while (first > 0 && last - first < words_before_end_max) {
    const std::string_view gap = words.gap_after(first - 1);
    const Word& before = words[first - 1];
    const std::string written(words.written(first - 1));
    const bool connector = (written == "and" || written == "of" || written == "for") &&
                           first >= 2 && words[first - 2].is_capital() && gap == " ";
    if (words.is_taken(first - 1) || (!joins(gap) && !(gap == ". " && written.size() == 1))) break;
    if (gap == ", " && !words[last].is(organization_end)) break;
    if (gap == ". " && written.size() > 1) break;
    if (!before.is_capital() && !connector) break;
    if (before.is(title)) break;
    if (words.begins_sentence(first - 1) && before.is(common_word) && !before.is(surname)) break;
    --first;
  }
  while (first < last && !words[first].is_capital()) ++first;
  return first;
}

// The last word of the name from `first` that does or has what only an organisation does; `size()`
// where there is none. A name of one word must be one that nothing else is called.
std::size_t last_before_deed(const NameText& words, std::size_t first) {
  constexpr std::uint32_t other_names = given_name | title | country | city;
  std::size_t last = first;
  while (last + 1 < words.size() && last - first < words_before_end_max &&
         !words.is_taken(last + 1) && words[last + 1].is_capital() &&
         (words.gap_after(last) == " " || words.gap_after(last) == "-" ||
          words.gap_after(last) == " & "))
    ++last;
  const std::string_view behind = words.text().substr(words[last].end);
  if (behind.size() < 2 || !deed_initials.contains(behind[1]) ||
      std::ranges::none_of(deeds, [&](std::string_view deed) { return behind.starts_with(deed); }))
    return words.size();
  if (words.begins_sentence(first) && words.lower(first) == "the") return words.size();
  for (std::size_t i = first; i <= last; ++i)
    if (words[i].is(other_names)) return words.size();
  return last == first && words[first].is(surname | common_word) ? words.size() : last;
}

}  // namespace

void find_organizations(NameText& words) {
  for (std::size_t i = words.next_telling(0); i < words.size(); i = words.next_telling(i + 1)) {
    if (words.is_taken(i) || !words.may_name(i)) continue;
    const Word& word = words[i];
    const NameText::Phrase phrase = words.phrase_from(i);
    if ((phrase.flags & organization) != 0) {
      words.take(EntityType::organization, i, phrase.last, 0.8);
      i = phrase.last;
      continue;
    }
    if (word.is(organization_end) && word.is_capital()) {
      const std::size_t first = first_of(words, i);
      const bool sure = is_one_of(words.lower(i), sure_ends);
      if (first == i) continue;
      std::size_t last = i;
      while (last + 1 < words.size() && words.gap_after(last) == " " &&
             words[last + 1].is(organization_end) && words[last + 1].is_capital())
        ++last;
      words.take(EntityType::organization, first, last, sure ? 0.85 : 0.65);
      i = last;
      continue;
    }
    if (word.is(organization) && word.form != Word::Form::lower) {
      const bool sure = !word.is(doubtful_organization | common_word | given_name | surname);
      words.take(EntityType::organization, i, i, sure ? 0.7 : words.follows(i, cues) ? 0.6 : 0.2);
      continue;
    }
    if (word.is_capital()) {
      if (const std::size_t last = last_before_deed(words, i); last < words.size()) {
        words.take(EntityType::organization, i, last, 0.6);
        i = last;
        continue;
      }
    }
    if (words[i].is(common_word | title | given_name) || words.all_lower() ||
        !words.follows(i, cues))
      continue;
    std::size_t last = i;
    while (last + 1 < words.size() && last - i < 4 && joins(words.gap_after(last)) &&
           words.gap_after(last) != ", " && words.gap_after(last) != ". " &&
           words[last + 1].is_capital())
      ++last;
    words.take(EntityType::organization, i, last, 0.6);
    i = last;
  }
}

}  // namespace understudy::s2
