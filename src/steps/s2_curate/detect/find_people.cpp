#include <algorithm>
#include <array>

#include "steps/s2_curate/detect/name_text.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t name_words_max = 4;
constexpr std::size_t telling_suffix_word_bytes_min = 6;

// What stands before a person's name.
constexpr auto cues_phrases = std::to_array<std::string_view>({" name is ",
                                                               " named ",
                                                               " called ",
                                                               " call me ",
                                                               " calls me ",
                                                               " call him ",
                                                               " call her ",
                                                               " name's ",
                                                               " i'm ",
                                                               " i am ",
                                                               " this is ",
                                                               " by ",
                                                               " hi ",
                                                               " hello ",
                                                               " dear ",
                                                               " hey ",
                                                               " mr ",
                                                               " mrs ",
                                                               " with ",
                                                               " to meet ",
                                                               " and starring ",
                                                               " starring ",
                                                               " directed by ",
                                                               " named him ",
                                                               " named her ",
                                                               " partner's name ",
                                                               " it's under ",
                                                               " regards, ",
                                                               " regards,",
                                                               " sincerely,",
                                                               " signed, ",
                                                               " cc ",
                                                               " attn: ",
                                                               " attention: ",
                                                               " contact ",
                                                               " ask for ",
                                                               " spoke to ",
                                                               " spoke with ",
                                                               " met ",
                                                               " married ",
                                                               " husband ",
                                                               " wife ",
                                                               " son ",
                                                               " daughter ",
                                                               " brother ",
                                                               " sister ",
                                                               " friend ",
                                                               " colleague ",
                                                               " boss ",
                                                               " maiden name is ",
                                                               " under the name ",
                                                               " tribute to ",
                                                               " shouted at ",
                                                               " said to ",
                                                               " up with ",
                                                               " patient ",
                                                               " employee ",
                                                               " passenger ",
                                                               " guest ",
                                                               " customer ",
                                                               " presented by "});
constexpr Cues cues(cues_phrases);
constexpr auto field_cues_phrases = std::to_array<std::string_view>(
    {" name: ",          " name:",        "name: ",        " name:  ",     " name:   ",
     " name:    ",       " full name: ",  " first name: ", " last name: ", " surname: ",
     " customer name: ", " contact: ",    " from: ",       " user: ",      " author: ",
     " patient: ",       " employee: ",   " passenger: ",  " owner: ",     " signed: ",
     " name = ",         " user's name: "});
constexpr Cues field_cues(field_cues_phrases);
constexpr auto person_keys = std::to_array<std::string_view>(
    {"name",      "full_name", "fullname",   "first_name",  "firstname",    "last_name",
     "lastname",  "surname",   "given_name", "family_name", "contact_name", "customer_name",
     "passenger", "patient",   "author",     "middle_name", "maiden_name",  "username",
     "employee",  "owner",     "recipient",  "sender",      "assignee"});
// What a person does behind the name.
constexpr auto deeds = std::to_array<std::string_view>(
    {"said",  "says",  "told",   "asked",     "wrote",   "lives",   "works",
     "likes", "wants", "thinks", "explained", "replied", "shouted", "listed",
     "loves", "knows", "called", "met",       "went",    "spent",   "had"});

// Endings that surnames have in many languages and English words have not.
constexpr auto surname_ends = std::to_array<std::string_view>({"sson",          "dottir",
                                                               "d\xc3\xb3ttir", "enko",
                                                               "chuk",          "ovich",
                                                               "evich",         "ovic",
                                                               "evic",          "ovi\xc4\x87",
                                                               "evi\xc4\x87",   "i\xc4\x87",
                                                               "i\xc4\x8d",     "ov\xc3\xa1",
                                                               "sk\xc3\xbd",    "sk\xc3\xa1",
                                                               "ski",           "ska",
                                                               "wicz",          "czyk",
                                                               "czak",          "nov",
                                                               "rov",           "lov",
                                                               "kov",           "mov",
                                                               "zov",           "dov",
                                                               "tov",           "nova",
                                                               "kova",          "rova",
                                                               "lova",          "skaya",
                                                               "sky",           "escu",
                                                               "oglu",          "o\xc4\x9flu",
                                                               "opoulos",       "idis",
                                                               "akis",          "yan",
                                                               "ishvili",       "adze",
                                                               "inen",          "nen",
                                                               "lainen",        "sen",
                                                               "berg",          "stein",
                                                               "mann",          "feld",
                                                               "gaard",         "g\xc3\xa5rd",
                                                               "str\xc3\xb6m",  "qvist",
                                                               "lund",          "holm",
                                                               "ington",        "ez",
                                                               "ini",           "elli",
                                                               "etti",          "acci",
                                                               "ucci",          "ello",
                                                               "moto",          "mura",
                                                               "kawa",          "zaki",
                                                               "\xc3\xa1k",     "\xc3\xa1\xc4\x8d",
                                                               "\xc3\xadk",     "\xc4\x8d\xc3\xadk",
                                                               "ek\xc3\xbd",    "yev",
                                                               "aev",           "iev",
                                                               "eev",           "shin",
                                                               "khin",          "tkin",
                                                               "chin",          "uk",
                                                               "vili"});
constexpr Endings surname_endings(surname_ends);

bool has_surname_end(const NameText& words, std::size_t i) {
  return words[i].end - words[i].begin >= telling_suffix_word_bytes_min &&
         surname_endings.end(words.lower(i));
}

bool is_space(std::string_view gap) { return gap == " " || gap == "  "; }

// May a word be a part of a name behind another?
bool may_follow(const NameText& words, std::size_t i) {
  if (!words.may_name(i) || words.is_taken(i)) return false;
  const Word& word = words[i];
  if (word.is(organization_end | street_end | unit_word) && !word.is(given_name | surname))
    return false;
  if (words.all_lower())
    return word.is(surname | given_name) || (words.is_unknown(i) && has_surname_end(words, i));
  if (word.is(given_name | surname)) return true;
  return !word.is(common_word | country | city | nationality | title);
}

// The last word of the name that begins at `first`.
std::size_t extend(const NameText& words, std::size_t first) {
  std::size_t last = first;
  while (last - first + 1 < name_words_max && last + 1 < words.size()) {
    const std::string_view gap = words.gap_after(last);
    const std::size_t next = last + 1;
    const bool initial = words[next].end - words[next].begin == 1 && words[next].is_capital();
    if (is_space(gap) && initial && next + 1 < words.size() &&
        (words.gap_after(next) == ". " || words.gap_after(next) == " ") &&
        may_follow(words, next + 1)) {
      last = next + 1;
      continue;
    }
    const bool after_initial = words[last].end - words[last].begin == 1 && gap == ". ";
    if (!is_space(gap) && !after_initial) break;
    if (may_follow(words, next)) {
      last = next;
      continue;
    }
    // "van der Voet", "de la Cruz".
    std::size_t particles = next;
    while (particles < words.size() && particles - next < 3 && words[particles].is(particle) &&
           words[particles].form == Word::Form::lower && is_space(words.gap_after(particles)))
      ++particles;
    if (particles == next || particles >= words.size() || !words[particles].is_capital()) break;
    last = particles;
  }
  return last;
}

bool is_title(const NameText& words, std::size_t i) {
  return words[i].is(title) && !words[i].is(given_name | surname) &&
         (words[i].is_capital() || words.all_lower());
}

bool behind_title(const NameText& words, std::size_t i) {
  if (i == 0 || !is_title(words, i - 1)) return false;
  const std::string_view gap = words.gap_after(i - 1);
  return gap == " " || gap == ". " || gap == ".";
}

double score_of(const NameText& words, std::size_t first, std::size_t last, bool cued) {
  const Word& word = words[first];
  const bool strong = word.is(given_name) && !word.is(doubtful_given | common_word);
  if (last > first) {
    const bool surname_known = words[last].is(surname) || has_surname_end(words, last);
    if (strong) return surname_known ? 0.9 : 0.8;
    if (word.is(given_name)) return surname_known || cued ? 0.75 : 0.5;
    if (surname_known && word.is(surname)) return 0.6;
    if (words[last].is(surname) && !words[last].is(doubtful_surname)) return cued ? 0.7 : 0.55;
    if (surname_known) return cued ? 0.7 : 0.55;
    return cued ? 0.6 : 0.2;
  }
  const bool place = word.is(city | country) && !word.is(doubtful_place);
  if (strong) return place ? (cued ? 0.6 : 0.4) : (cued ? 0.8 : 0.65);
  if (word.is(given_name)) return cued ? 0.65 : words.begins_sentence(first) ? 0.3 : 0.4;
  if (word.is(surname)) {
    if (!word.is(doubtful_surname | common_word)) return cued ? 0.7 : 0.6;
    return cued ? 0.55 : 0.3;
  }
  if (has_surname_end(words, first)) return cued ? 0.65 : 0.5;
  return cued ? 0.52 : 0.1;
}

bool deed_follows(const NameText& words, std::size_t last) {
  return last + 1 < words.size() && is_space(words.gap_after(last)) &&
         words[last + 1].form == Word::Form::lower && is_one_of(words.written(last + 1), deeds);
}

bool may_begin(const NameText& words, std::size_t i, bool cued) {
  if (!words.may_name(i) || words.is_taken(i) || words[i].end - words[i].begin < 2) return false;
  const Word& word = words[i];
  if (word.is(given_name | surname)) return true;
  if (word.is(common_word | country | city | nationality | organization | title | organization_end |
              street_begin | unit_word))
    return false;
  if (words.all_lower()) return cued && words.is_unknown(i);
  return word.form == Word::Form::capital || cued;
}

}  // namespace

void find_people(NameText& words, std::string_view key) {
  const std::string lower_key = lower_unicode(key);
  const bool person_key = is_one_of(lower_key, person_keys);
  for (std::size_t i = words.next_telling(0); i < words.size(); i = words.next_telling(i + 1)) {
    if (!words.may_name(i)) continue;
    const bool titled = behind_title(words, i);
    if (!titled && !words[i].is(given_name | surname) && words[i].is(common_word)) continue;
    const bool cued = titled || (person_key && i == 0 && words.size() <= name_words_max) ||
                      words.follows(i, cues) || words.follows(i, field_cues);
    if (titled && !words.is_taken(i) && (words[i].is_capital() || words.all_lower())) {
      const std::size_t last = extend(words, i);
      words.take(EntityType::person, i, last, 0.85);
      i = last;
      continue;
    }
    if (!may_begin(words, i, cued)) continue;
    const std::size_t last = extend(words, i);
    const bool acts = deed_follows(words, last);
    const double score = score_of(words, i, last, cued || acts);
    if (score < 0.5 && last > i) continue;  // its second word may begin a name
    if (score >= 0.2) words.take(EntityType::person, i, last, score);
    i = score >= 0.5 ? last : i;
  }
}

}  // namespace understudy::s2
