#include "steps/s2_curate/known_values.hpp"

#include <algorithm>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/digit_runs.hpp"

namespace understudy::s2 {

namespace {

// Shorter values occur by chance; where the detector finds them, they are replaced all the same.
constexpr std::size_t secret_bytes_min = 8;
constexpr std::size_t id_bytes_min = 6;
constexpr std::size_t literal_bytes_max = 256;
constexpr std::size_t number_digits_min = 9;
constexpr std::size_t number_digits_max = 19;
constexpr std::size_t phone_prefix_digits_max = 6;  // "00", calling code, "(0)"

bool is_literal(const EntityKey& key) {
  if (key.value.size() > literal_bytes_max) return false;
  switch (key.type) {
    case EntityType::email:
    case EntityType::iban:
    case EntityType::ip: return true;
    case EntityType::secret: return key.value.size() >= secret_bytes_min;
    case EntityType::card:
    case EntityType::phone: return false;
    default: return key.value.size() >= id_bytes_min;
  }
}

// Is what was found a whole value, not a part of a longer one?
bool is_whole(std::string_view text, const text::PatternHit& hit, EntityType type) {
  const char before = hit.begin > 0 ? text[hit.begin - 1] : ' ';
  const char after = hit.end < text.size() ? text[hit.end] : ' ';
  const char second = hit.end + 1 < text.size() ? text[hit.end + 1] : ' ';
  switch (type) {
    case EntityType::email:
      return !continues_word_before(text, hit.begin) &&
             !std::string_view(".%+-").contains(before) && !is_alnum(after) &&
             !((after == '.' || after == '-') && is_alnum(second));
    case EntityType::ip:
      return !is_alnum(before) && before != '.' && before != ':' && !is_alnum(after) &&
             after != ':' && !(after == '.' && is_digit(second));
    default: return !continues_word_before(text, hit.begin) && !continues_word_after(text, hit.end);
  }
}

// "0044", "44", "0", "490" before the national digits.
bool is_phone_prefix(std::string_view prefix, const std::set<int>& countries) {
  const auto without_zeros = [](std::string_view digits) {
    while (digits.starts_with('0')) digits.remove_prefix(1);
    while (digits.ends_with('0')) digits.remove_suffix(1);
    return digits;
  };
  const std::string_view core = without_zeros(prefix);
  if (core.empty()) return true;
  return std::ranges::any_of(
      countries, [&](int country) { return without_zeros(std::to_string(country)) == core; });
}

}  // namespace

void add_to(EntityTable& table, const Entity& entity) {
  const auto [place, is_new] = table.try_emplace({.type = entity.type, .value = entity.value});
  EntityFacts& facts = place->second;
  if (is_new || entity.kind < facts.kind) facts.kind = entity.kind;
  if (entity.phone_country != 0) facts.phone_countries.insert(entity.phone_country);
}

Result<KnownValues> KnownValues::create(const EntityTable& table) {
  std::vector<text::Literal> literals;
  std::vector<std::pair<EntityKey, std::string>> by_id;
  for (const auto& [key, facts] : table) {
    if (!is_literal(key)) continue;
    const bool exact = key.type == EntityType::secret;
    literals.push_back(
        {.id = static_cast<std::uint32_t>(by_id.size()),
         .bytes = key.value,
         .letter_case = exact ? text::LetterCase::exact : text::LetterCase::ignored});
    by_id.emplace_back(key, facts.kind);
  }
  KnownValues known(TRY(text::PatternScanner::compile_literals(literals)));
  known.literals_ = std::move(by_id);
  for (const auto& [key, facts] : table) {
    if (key.type == EntityType::card) known.cards_.insert(key.value);
    if (key.type == EntityType::phone && key.value.size() >= number_digits_min)
      known.phones_.emplace(key.value, facts.phone_countries);
  }
  return known;
}

std::vector<Entity> KnownValues::find(std::string_view text) const {
  std::vector<Entity> found;
  for (const text::PatternHit& hit : scanner_.scan(text)) {
    const auto& [key, kind] = literals_[hit.id];
    if (!is_whole(text, hit, key.type)) continue;
    found.push_back(
        {.type = key.type, .begin = hit.begin, .end = hit.end, .value = key.value, .kind = kind});
  }
  if (!cards_.empty() || !phones_.empty()) find_numbers(text, found);
  return found;
}

void KnownValues::find_numbers(std::string_view text, std::vector<Entity>& found) const {
  DigitRuns runs(text);
  while (const DigitRun* next = runs.next(number_digits_min)) {
    const DigitRun& run = *next;
    for (std::size_t first = 0; first < run.groups.size(); ++first) {
      std::string digits;
      for (std::size_t last = first; last < run.groups.size(); ++last) {
        digits += text.substr(run.groups[last].begin, run.groups[last].size());
        if (digits.size() > number_digits_max) break;
        if (digits.size() < number_digits_min) continue;
        Entity entity{.type = EntityType::card,
                      .begin = run.groups[first].begin,
                      .end = run.groups[last].end,
                      .value = digits};
        if (cards_.contains(digits)) found.push_back(entity);
        entity.type = EntityType::phone;
        for (std::size_t prefix = 0;
             prefix <= phone_prefix_digits_max && prefix + number_digits_min <= digits.size();
             ++prefix) {
          const auto phone = phones_.find(digits.substr(prefix));
          if (phone == phones_.end()) continue;
          if (!is_phone_prefix(std::string_view(digits).substr(0, prefix), phone->second)) continue;
          entity.value = phone->first;
          found.push_back(entity);
        }
      }
    }
  }
}

}  // namespace understudy::s2
