#include <algorithm>
#include <array>
#include <utility>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/finders.hpp"

namespace understudy::s2 {

namespace {

constexpr auto months = std::to_array<std::string_view>(
    {"january",   "february", "march",    "april",    "may",  "june", "july", "august",
     "september", "october",  "november", "december", "jan",  "feb",  "mar",  "apr",
     "jun",       "jul",      "aug",      "sep",      "sept", "oct",  "nov",  "dec"});
constexpr auto days = std::to_array<std::string_view>(
    {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"});

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits.substr(0, 6)) value = value * 10 + (c - '0');
  return value;
}

bool is_year(std::string_view digits) {
  return digits.size() == 4 && number(digits) >= 1900 && number(digits) <= 2099;
}
bool is_month(std::string_view digits) {
  return digits.size() <= 2 && number(digits) >= 1 && number(digits) <= 12;
}
bool is_day(std::string_view digits) {
  return digits.size() <= 2 && number(digits) >= 1 && number(digits) <= 31;
}

std::optional<std::size_t> month_end(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_letter(text[end])) ++end;
  const std::string word = lower_ascii(text.substr(at, end - at));
  if (std::ranges::find(months, word) == months.end()) return std::nullopt;
  return end;
}

std::size_t digits_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// "T14:30:05.123+02:00", " 14:30": where a time that follows a date ends.
std::size_t time_end(std::string_view text, std::size_t date_end) {
  std::size_t at = date_end;
  if (at < text.size() && (text[at] == 'T' || text[at] == ' ')) ++at;
  const std::size_t hour = digits_end(text, at);
  if (hour == at || hour - at > 2 || hour >= text.size() || text[hour] != ':') return date_end;
  std::size_t end = digits_end(text, hour + 1);
  if (end - hour != 3) return date_end;
  while (end + 1 < text.size() && (text[end] == ':' || text[end] == '.') && is_digit(text[end + 1]))
    end = digits_end(text, end + 1);
  if (end < text.size() && text[end] == 'Z') return end + 1;
  if (end + 2 < text.size() && (text[end] == '+' || text[end] == '-') && is_digit(text[end + 1])) {
    std::size_t zone = digits_end(text, end + 1);
    if (zone < text.size() && text[zone] == ':') zone = digits_end(text, zone + 1);
    return zone;
  }
  return end;
}

bool continues(std::string_view text, std::size_t end) {
  return end + 1 < text.size() && std::string_view("-/.").contains(text[end]) &&
         is_alnum(text[end + 1]);
}

Entity date(std::string_view text, Place place, double score) {
  return {.type = EntityType::date_time,
          .begin = place.begin,
          .end = place.end,
          .value = std::string(text.substr(place.begin, place.end - place.begin)),
          .score = score};
}

}  // namespace

namespace {

// The groups of a run from the i-th on, with one and the same sign between them.
class DateGroups {
 public:
  DateGroups(std::string_view text, const DigitRun& run, std::size_t first)
      : text_(text), run_(run), first_(first) {
    const std::size_t end = run.groups[first].end;
    sign_ = end < text.size() ? text[end] : '\0';
  }
  [[nodiscard]] char sign() const { return sign_; }
  [[nodiscard]] std::string_view part(std::size_t k) const {
    const DigitGroup& group = run_.groups[first_ + k];
    return text_.substr(group.begin, group.size());
  }
  [[nodiscard]] std::size_t end(std::size_t k) const { return run_.groups[first_ + k].end; }
  [[nodiscard]] std::size_t begin() const { return run_.groups[first_].begin; }
  // Are there k more groups behind, joined by the sign?
  [[nodiscard]] bool has(std::size_t k) const {
    if (first_ + k >= run_.groups.size() || !std::string_view("-/.").contains(sign_)) return false;
    for (std::size_t i = 1; i <= k; ++i) {
      const std::size_t before = end(i - 1);
      if (run_.groups[first_ + i].begin != before + 1 || text_[before] != sign_) return false;
    }
    return true;
  }

 private:
  std::string_view text_;
  const DigitRun& run_;
  std::size_t first_;
  char sign_ = 0;
};

// "2024-05-15 10:27", "21.5.2021", "5/20/21".
std::optional<Entity> full_date(std::string_view text, const DateGroups& groups) {
  if (!groups.has(2)) return std::nullopt;
  const auto part = [&](std::size_t k) { return groups.part(k); };
  const bool iso = is_year(part(0)) && is_month(part(1)) && is_day(part(2));
  const bool short_year = part(2).size() == 2 && groups.sign() != '-';
  const bool civil = is_day(part(0)) && is_day(part(1)) &&
                     (is_month(part(0)) || is_month(part(1))) && (is_year(part(2)) || short_year);
  const std::size_t end = groups.end(2);
  const bool word_follows = end < text.size() && is_letter(text[end]) && text[end] != 'T';
  if (!(iso || civil) || continues(text, end) || word_follows) return std::nullopt;
  const double dotted = groups.sign() == '.' ? 0.3 : 0.5;  // "2.6.14" is rather a version
  return date(text, {groups.begin(), time_end(text, end)}, civil && short_year ? dotted : 0.7);
}

// "5-MAY-2021", "21 May".
std::optional<Entity> date_with_month_name(std::string_view text, const DateGroups& groups) {
  if ((groups.sign() != '-' && groups.sign() != ' ') || !is_day(groups.part(0)))
    return std::nullopt;
  const auto month = month_end(text, groups.end(0) + 1);
  if (!month) return std::nullopt;
  std::size_t end = *month;
  const bool sign = end < text.size() && (text[end] == groups.sign() || text[end] == ' ');
  const std::size_t year = digits_end(text, std::min(text.size(), end + 1));
  if (sign && year == end + 5 && is_year(text.substr(end + 1, 4))) end = year;
  if (continues_word_after(text, end)) return std::nullopt;
  return date(text, {groups.begin(), end}, 0.6);
}

// "05/21", "5/2021", or a year alone: hardly ever worth more than a mention.
std::optional<Entity> part_of_date(std::string_view text, const DateGroups& groups) {
  if (groups.sign() == '/' && groups.has(1) && is_month(groups.part(0)) &&
      (is_year(groups.part(1)) || is_day(groups.part(1))) && !continues(text, groups.end(1)) &&
      !continues_word_after(text, groups.end(1)))
    return date(text, {groups.begin(), groups.end(1)}, is_year(groups.part(1)) ? 0.4 : 0.3);
  const bool glued = std::string_view("-/.").contains(groups.sign()) && groups.sign() != '\0';
  if (is_year(groups.part(0)) && !glued && !continues_word_after(text, groups.end(0)))
    return date(text, {groups.begin(), groups.end(0)}, 0.2);
  return std::nullopt;
}

}  // namespace

void find_dates(std::string_view text, const DigitRun& run, std::vector<Entity>& found) {
  for (std::size_t i = 0; i < run.groups.size(); ++i) {
    const std::size_t begin = run.groups[i].begin;
    if (continues_word_before(text, begin)) continue;
    if (begin > 0 && std::string_view("-/.,$").contains(text[begin - 1])) continue;
    const DateGroups groups(text, run, i);
    if (auto full = full_date(text, groups)) {
      found.push_back(std::move(*full));
      i += 2;
    } else if (auto named = date_with_month_name(text, groups)) {
      found.push_back(std::move(*named));
    } else if (auto part = part_of_date(text, groups)) {
      found.push_back(std::move(*part));
    }
  }
}

std::optional<Entity> find_named_date(std::string_view text, Place word) {
  const std::string name = lower_ascii(text.substr(word.begin, word.end - word.begin));
  if (std::ranges::find(days, name) != days.end()) return date(text, word, 0.6);
  if (std::ranges::find(months, name) == months.end()) return std::nullopt;
  // "May 1st, 1977", "May-2021", "May 2021".
  std::size_t end = word.end;
  double score = name.size() <= 4 ? 0.2 : 0.4;
  std::size_t at = end + 1;
  std::size_t digits = digits_end(text, std::min(at, text.size()));
  if (at < text.size() && (text[end] == ' ' || text[end] == '-') && digits > at) {
    if (is_year(text.substr(at, digits - at))) return date(text, {word.begin, digits}, 0.6);
    if (is_day(text.substr(at, digits - at))) {
      end = digits;
      score = 0.6;
      for (const std::string_view ordinal : {"st", "nd", "rd", "th"}) {
        if (text.substr(end, 2) == ordinal) end += 2;
      }
      std::size_t year = end;
      while (year < text.size() && (text[year] == ',' || text[year] == ' ')) ++year;
      if (is_year(text.substr(year, digits_end(text, year) - year))) end = year + 4;
    }
  }
  return date(text, {word.begin, end}, score);
}

}  // namespace understudy::s2
