#include <array>
#include <algorithm>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/finders.hpp"

namespace understudy::s2 {

namespace {

constexpr auto months = std::to_array<std::string_view>(
    {"january", "february", "march", "april", "may", "june", "july", "august", "september",
     "october", "november", "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
     "sept", "oct", "nov", "dec"});
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

void find_dates(std::string_view text, const DigitRun& run, std::vector<Entity>& found) {
  for (std::size_t i = 0; i < run.groups.size(); ++i) {
    const DigitGroup first = run.groups[i];
    if (continues_word_before(text, first.begin)) continue;
    const auto part = [&](std::size_t k) {
      return text.substr(run.groups[k].begin, run.groups[k].size());
    };
    const char sign = first.end < text.size() ? text[first.end] : '\0';
    const bool glued = std::string_view("-/.").contains(sign) && sign != '\0';
    const auto follows = [&](std::size_t k) {
      return k < run.groups.size() && run.groups[k].begin == run.groups[k - 1].end + 1 &&
             text[run.groups[k - 1].end] == sign;
    };
    if (first.begin > 0 && std::string_view("-/.,$").contains(text[first.begin - 1])) continue;
    if (glued && follows(i + 1) && follows(i + 2)) {
      const bool iso = is_year(part(i)) && is_month(part(i + 1)) && is_day(part(i + 2));
      const bool civil = is_day(part(i)) && is_day(part(i + 1)) &&
                         (is_month(part(i)) || is_month(part(i + 1))) &&
                         (is_year(part(i + 2)) || (part(i + 2).size() == 2 && sign != '-'));
      const std::size_t end = run.groups[i + 2].end;
      if ((iso || civil) && !continues(text, end) && !(end < text.size() && is_letter(text[end]) && text[end] != 'T')) {
        const bool short_year = civil && part(i + 2).size() == 2;
        found.push_back(date(text, {first.begin, time_end(text, end)}, short_year ? 0.5 : 0.7));
        i += 2;
        continue;
      }
    }
    // "5-MAY-2021", "21-May", "21 May 2021".
    if ((sign == '-' || sign == ' ') && is_day(part(i))) {
      if (const auto month = month_end(text, first.end + 1)) {
        std::size_t end = *month;
        if (end + 4 < text.size() + 0 && (text[end] == sign || text[end] == ' ') &&
            is_year(text.substr(end + 1, 4)) && digits_end(text, end + 1) == end + 5)
          end += 5;
        else if (end + 5 == text.size() && text[end] == sign && is_year(text.substr(end + 1, 4)))
          end += 5;
        if (!continues_word_after(text, end))
          found.push_back(date(text, {first.begin, end}, 0.6));
        continue;
      }
    }
    if (sign == '/' && follows(i + 1) && !continues(text, run.groups[i + 1].end) &&
        !continues_word_after(text, run.groups[i + 1].end) &&
        (is_month(part(i)) && (is_year(part(i + 1)) || is_day(part(i + 1)))))
      found.push_back(date(text, {first.begin, run.groups[i + 1].end}, is_year(part(i + 1)) ? 0.4 : 0.3));
    if (is_year(part(i)) && !glued && !continues_word_after(text, first.end))
      found.push_back(date(text, {first.begin, first.end}, 0.2));
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
