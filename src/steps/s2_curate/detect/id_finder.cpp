#include "steps/s2_curate/detect/id_finder.hpp"

#include <algorithm>

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
  std::vector<Form> forms;
  for (const auto table : {american_ids(), european_ids(), british_and_irish_ids(), german_ids(),
                           asian_ids(), other_ids()}) {
    for (const IdRule& rule : table)
      forms.push_back({.rule = rule, .pattern = TRY(FormPattern::parse(rule.expression))});
  }
  return IdFinder(std::move(forms));
}

void IdFinder::find(std::string_view text, Place stretch, const TypeSet& announced,
                    double score_min, std::vector<Entity>& found) const {
  std::vector<std::size_t> begins;
  for (std::size_t at = stretch.begin; at < stretch.end; ++at) {
    const bool starts = is_alnum(text[at]) || text[at] == '+';
    if (starts && !continues_word_before(text, at)) begins.push_back(at);
  }
  for (const Form& form : forms_) {
    const IdRule& rule = form.rule;
    const bool is_announced = announced.test(static_cast<std::size_t>(rule.type));
    const double score = is_announced ? rule.with_context : rule.bare;
    if (score < score_min) continue;
    std::size_t behind = 0;
    for (const std::size_t begin : begins) {
      if (begin < behind || !form.pattern.may_begin_with(text[begin])) continue;
      form.pattern.match(text, begin, [&](std::size_t end) {
        if (!stands_alone(text, {begin, end})) return false;
        const std::string_view written = text.substr(begin, end - begin);
        if (!rule.any_separators && !has_even_separators(written)) return false;
        const Verdict verdict = rule.check(upper_ascii(only_alnum(written)));
        const double sure = verdict == Verdict::unverified ? score * unverified_factor : score;
        if (verdict == Verdict::no || sure < score_min) return false;
        found.push_back({.type = rule.type,
                         .begin = begin,
                         .end = end,
                         .value = std::string(written),
                         .score = sure});
        behind = end;
        return true;
      });
    }
  }
}

Verdict IdFinder::verify(EntityType type, std::string_view written) const {
  Verdict best = Verdict::no;
  if (written.empty()) return best;
  const std::string compact = upper_ascii(only_alnum(written));
  for (const Form& form : forms_) {
    if (form.rule.type != type || !form.pattern.may_begin_with(written.front())) continue;
    form.pattern.match(written, 0, [&](std::size_t end) {
      if (end != written.size()) return false;
      if (!form.rule.any_separators && !has_even_separators(written)) return true;
      best = std::max(best, form.rule.check(compact));
      return true;
    });
  }
  return best;
}

}  // namespace understudy::s2
