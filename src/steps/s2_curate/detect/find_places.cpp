#include <array>

#include "steps/s2_curate/detect/name_text.hpp"

namespace understudy::s2 {

namespace {

constexpr auto cues_phrases = std::to_array<std::string_view>(
    {" in ", " from ", " to ", " at ", " near ", " around ", " visit ", " visited ", " visiting ",
     " via ", " leave ", " left ", " towards ", " through ", " outside ", " inside ", " across "});
constexpr Cues cues(cues_phrases);
// So sure that they make a place of a word that nobody knows.
constexpr auto strong_cues_phrases = std::to_array<std::string_view>(
    {" live in ",     " lives in ",        " lived in ",        " living in ",    " born in ",
     " moved from ",  " moved to ",        " moved here from ", " moving to ",    " grew up in ",
     " based in ",    " originally from ", " city of ",         " town of ",      " village of ",
     " arrived in ",  " arrive in ",       " arrived at ",      " flight to ",    " flights to ",
     " flight from ", " travel to ",       " travelling to ",   " traveling to ", " trip to ",
     " visiting ",    " capital of ",      " resident of ",     " located in ",   " street in ",
     " year in ",     " i'm in ",          " i am in ",         " home city ",    " office in ",
     " where: ",      " city: ",           " country: ",        " location: ",    " town: ",
     " birthplace: "});
constexpr Cues strong_cues(strong_cues_phrases);
constexpr auto place_keys = std::to_array<std::string_view>(
    {"city", "country", "town", "location", "place", "state", "region", "province", "county",
     "birthplace", "destination", "origin", "hometown"});

constexpr auto states = std::to_array<std::string_view>(
    {"AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL",
     "IN", "IA", "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT",
     "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI",
     "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "DC"});

void take_place(NameText& words, std::size_t first, std::size_t last, double score) {
  // "Springfield, IL"
  if (last + 1 < words.size() && words.gap_after(last) == ", " && !words.is_taken(last + 1) &&
      is_one_of(words.written(last + 1), states))
    ++last;
  words.take(EntityType::location, first, last, score);
}

// An unknown name of one to three words, as "Saint-Denis" or "Torroella de Montgri".
std::size_t extend(const NameText& words, std::size_t first) {
  std::size_t last = first;
  while (last + 1 < words.size() && last - first < 3 && words.gap_after(last) == " ") {
    const Word& next = words[last + 1];
    if (next.is_capital() && !next.is(common_word) && !words.is_taken(last + 1)) {
      ++last;
    } else if (next.is(particle) && next.form == Word::Form::lower && last + 2 < words.size() &&
               words.gap_after(last + 1) == " " && words[last + 2].is_capital()) {
      last += 2;
    } else {
      break;
    }
  }
  return last;
}

}  // namespace

void find_places(NameText& words, std::string_view key) {
  const bool place_key = is_one_of(lower_unicode(key), place_keys);
  for (std::size_t i = words.next_telling(0); i < words.size(); i = words.next_telling(i + 1)) {
    if (words.is_taken(i) || !words.may_name(i)) continue;
    const NameText::Phrase phrase = words.phrase_from(i);
    if ((phrase.flags & (country | city)) != 0 && !words.is_taken(phrase.last)) {
      take_place(words, i, phrase.last, 0.8);
      i = phrase.last;
      continue;
    }
    const Word& word = words[i];
    const bool cued = (place_key && i == 0) || words.follows(i, cues);
    if (word.is(country | city)) {
      const bool sure = !word.is(doubtful_place | common_word) &&
                        !(word.form == Word::Form::upper && word.end - word.begin <= 3);
      take_place(words, i, i, sure ? (word.is(country) ? 0.8 : 0.7) : cued ? 0.6 : 0.3);
      continue;
    }
    if (word.is(nationality) && word.is_capital()) {
      words.take(EntityType::nrp, i, i, 0.6);
      continue;
    }
    if (word.is(common_word | title) || !(place_key || words.follows(i, strong_cues))) continue;
    const std::size_t last = extend(words, i);
    take_place(words, i, last, place_key && last > 3 ? 0.2 : 0.6);
    i = last;
  }
}

}  // namespace understudy::s2
