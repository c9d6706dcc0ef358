#include "steps/s2_curate/detect/id_finder.hpp"

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr double unverified_factor = 0.75;

bool is_glue(char c) { return c == '-' || c == '.' || c == '/' || c == ','; }

// A number that goes on to the left or right as a word, a path, a date or a dashed id is another.
bool stands_alone(std::string_view text, Place place) {
  if (continues_word_before(text, place.begin) || continues_word_after(text, place.end))
    return false;
  if (place.begin >= 2 && is_glue(text[place.begin - 1]) && is_alnum(text[place.begin - 2]))
    return false;
  return !(place.end + 1 < text.size() && is_glue(text[place.end]) &&
           is_alnum(text[place.end + 1]) && text[place.end] != ',');
}

bool has_even_separators(std::string_view written) {
  char separator = 0;
  for (const char c : written) {
    if (is_alnum(c)) continue;
    if (separator != 0 && c != separator) return false;
    separator = c;
  }
  return true;
}

}  // namespace

Result<IdFinder> IdFinder::create() {
  std::vector<IdRule> rules;
  for (const auto table : {american_ids(), european_ids(), british_and_irish_ids(), german_ids(),
                           asian_ids(), other_ids()})
    rules.insert(rules.end(), table.begin(), table.end());
  std::vector<text::Pattern> patterns;
  for (std::uint32_t id = 0; id < rules.size(); ++id) {
    patterns.push_back({.id = id,
                        .expression = std::string(rules[id].expression),
                        .letter_case = text::LetterCase::ignored});
  }
  auto scanner = TRY(text::PatternScanner::compile(patterns));
  return IdFinder(std::move(rules), std::move(scanner));
}

void IdFinder::find(std::string_view text, Place stretch, const TypeSet& announced,
                    double score_min, std::vector<Entity>& found) const {
  for (const text::PatternHit& hit :
       scanner_.scan(text.substr(stretch.begin, stretch.end - stretch.begin))) {
    const IdRule& rule = rules_[hit.id];
    double score =
        announced.test(static_cast<std::size_t>(rule.type)) ? rule.with_context : rule.bare;
    if (score < score_min) continue;
    const Place place{.begin = stretch.begin + hit.begin, .end = stretch.begin + hit.end};
    if (!stands_alone(text, place)) continue;
    const std::string_view written = text.substr(place.begin, place.end - place.begin);
    if (!rule.any_separators && !has_even_separators(written)) continue;
    const std::string compact = upper_ascii(only_alnum(written));
    const Verdict verdict = rule.check(compact);
    if (verdict == Verdict::unverified) score *= unverified_factor;
    if (verdict == Verdict::no || score < score_min) continue;
    found.push_back({.type = rule.type,
                     .begin = place.begin,
                     .end = place.end,
                     .value = std::string(written),
                     .score = score});
  }
}

}  // namespace understudy::s2
