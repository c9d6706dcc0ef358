#include "steps/s2_curate/surrogate/known_values.hpp"

#include <algorithm>
#include <bit>

#include "adapters/text/hashing.hpp"
#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/digit_runs.hpp"
#include "steps/s2_curate/detect/words.hpp"

namespace understudy::s2 {

namespace {

// Shorter values occur by chance; where the detector finds them, they are replaced all the same.
constexpr std::size_t secret_bytes_min = 8;
constexpr std::size_t id_bytes_min = 6;
constexpr std::size_t name_part_bytes_min = 4;
constexpr std::size_t literal_bytes_max = 256;
constexpr std::size_t number_digits_min = 9;
constexpr std::size_t number_digits_max = 19;
constexpr std::size_t phone_prefix_digits_max = 6;  // "00", calling code, "(0)"
constexpr std::size_t word_bytes_max = 64;          // of what is hashed; a longer one by its begin
// Words that are no names when they stand alone, or somebody else's.
constexpr std::uint32_t not_alone = common_word | doubtful_given | doubtful_surname | country |
                                    city | organization | nationality | title | particle |
                                    organization_end | street_end | street_begin | unit_word;

bool is_word_byte(char c) { return is_alnum(c) || static_cast<unsigned char>(c) >= 128; }

std::size_t end_of_word(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (end < text.size() && is_word_byte(text[end])) ++end;
  return end;
}

std::uint64_t hash_word(std::string_view word, Scope scope) {
  char lower[word_bytes_max];
  word = word.substr(0, word_bytes_max);
  bool ascii = true;
  for (std::size_t i = 0; i < word.size(); ++i) {
    lower[i] = to_lower(word[i]);
    ascii = ascii && static_cast<unsigned char>(word[i]) < 128;
  }
  if (ascii) return text::hash64({lower, word.size()}, scope);
  return text::hash64(lower_unicode(word), scope);
}

bool equal_any_case(std::string_view text, std::string_view lower) {
  if (std::ranges::equal(text, lower, [](char a, char b) { return to_lower(a) == to_lower(b); }))
    return true;
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 128; }) &&
         lower_unicode(text) == lower;
}

bool is_name_separator(char c) { return c == ' ' || c == '_' || c == '.' || c == '-'; }

// The end of a name with any separators at `begin`, or npos.
std::size_t end_of_name(std::string_view text, std::size_t begin, std::string_view name) {
  std::size_t at = begin;
  while (true) {
    const std::size_t part = std::min(name.find(' '), name.size());
    if (!equal_any_case(text.substr(at, part), name.substr(0, part))) return std::string::npos;
    at += part;
    name.remove_prefix(std::min(part + 1, name.size()));
    if (name.empty()) return at;
    if (at >= text.size() || !is_name_separator(text[at])) return std::string::npos;
    if (++at < text.size() && text[at] == ' ') ++at;
  }
}

// Is what was found a whole value, not a part of a longer one?
bool is_whole(std::string_view text, std::size_t begin, std::size_t end, EntityType type) {
  const char before = begin > 0 ? text[begin - 1] : ' ';
  const char after = end < text.size() ? text[end] : ' ';
  const char second = end + 1 < text.size() ? text[end + 1] : ' ';
  switch (type) {
    case EntityType::email:
      return !continues_word_before(text, begin) && !std::string_view(".%+-").contains(before) &&
             !is_alnum(after) && !((after == '.' || after == '-') && is_alnum(second));
    case EntityType::ip:
      return !is_alnum(before) && before != '.' && before != ':' && !is_alnum(after) &&
             after != ':' && !(after == '.' && is_digit(second));
    // "mia_li_3668": a user's id is made of the name.
    case EntityType::person:
      return (before == '_' || !continues_word_before(text, begin)) &&
             (after == '_' || !continues_word_after(text, end));
    default: return !continues_word_before(text, begin) && !continues_word_after(text, end);
  }
}

// "0044", "44", "0", "490" before the national digits.
bool is_phone_prefix(std::string_view prefix, const std::vector<int>& countries) {
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

KnownValues::KnownValues(const EntityTable& table) {
  for (const auto& entry : table) add(entry);
  index();
}

void KnownValues::add(const EntityTable::value_type& entry) {
  const auto& [key, facts] = entry;
  const bool number = key.value.size() >= number_digits_min &&
                      key.value.size() <= number_digits_max &&
                      std::ranges::all_of(key.value, is_digit);
  switch (key.type) {
    case EntityType::date_time: return;
    case EntityType::person: return add_name(entry);
    case EntityType::email:
    case EntityType::iban:
    case EntityType::ip: return add_form(entry, key.value, Match::any_case);
    case EntityType::secret:
      if (key.value.size() >= secret_bytes_min) add_form(entry, key.value, Match::exact);
      return;
    case EntityType::location:
    case EntityType::organization:
    case EntityType::nrp:
    case EntityType::url:
      if (key.value.size() >= id_bytes_min) add_form(entry, key.value, Match::exact);
      return;
    case EntityType::card:
    case EntityType::phone:
      if (number) numbers_[key.value].push_back(&entry);
      return;
    default: break;
  }
  if (number) {
    numbers_[key.value].push_back(&entry);
    return;
  }
  if (key.value.size() < id_bytes_min) return;
  add_form(entry, key.value, Match::any_case);
  for (const std::string& written : facts.written) add_form(entry, written, Match::any_case);
}

void KnownValues::add_name(const EntityTable::value_type& entry) {
  const std::string_view name = entry.first.value;
  const auto parts = name_parts(name);
  if (parts.size() > 1) add_form(entry, name, Match::name);
  for (const std::string_view part : parts) {
    if (names_alone(part)) add_form(entry, part, Match::name_part);
  }
}

// Will it be a name also where only its capital says so? Names that everybody knows, and those that
// nobody knows: no words of the language, no places.
bool KnownValues::names_alone(std::string_view part) const {
  if (part.size() < name_part_bytes_min) return false;
  const std::uint32_t flags = gazetteer_.word(part);
  return (flags & not_alone) == 0 && (flags & (given_name | surname)) != 0;
}

bool KnownValues::repeats_everywhere(const Entity& entity) const {
  if (entity.type == EntityType::secret) return entity.value.size() >= secret_bytes_min;
  if (entity.type != EntityType::person) return true;
  const std::string name = normalise(entity);
  return name.contains(' ') || names_alone(name);
}

void KnownValues::add_form(const EntityTable::value_type& entry, std::string_view bytes,
                           Match match) {
  if (bytes.size() > literal_bytes_max) return;
  const auto word = std::ranges::find_if(bytes, is_word_byte);
  if (word == bytes.end()) return;
  forms_.push_back({.entry = &entry,
                    .bytes = bytes,
                    .lead = static_cast<std::uint32_t>(word - bytes.begin()),
                    .match = match});
}

void KnownValues::index() {
  slots_.resize(std::bit_ceil(2 * forms_.size() + 2));
  for (std::size_t i = 0; i < forms_.size(); ++i) {
    Form& form = forms_[i];
    const std::string_view word =
        form.bytes.substr(form.lead, end_of_word(form.bytes, form.lead) - form.lead);
    const std::uint64_t hash = hash_word(word, form.entry->first.scope);
    std::size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot].first != 0 && slots_[slot].hash != hash)
      slot = (slot + 1) & (slots_.size() - 1);
    form.next = slots_[slot].first;
    slots_[slot] = {.hash = hash, .first = static_cast<std::uint32_t>(i + 1)};
  }
}

std::vector<Entity> KnownValues::find(std::string_view text, Scope scope) const {
  std::vector<Entity> found;
  if (!forms_.empty()) {
    for (std::size_t at = 0; at < text.size();) {
      if (!is_word_byte(text[at])) {
        ++at;
        continue;
      }
      const std::size_t end = end_of_word(text, at);
      find_at(text, at, hash_word(text.substr(at, end - at), scope), scope, found);
      // In text with unread escapes ("\nmary@x.org") the word begins behind the escape.
      if (at > 0 && text[at - 1] == '\\' && end > at + 1)
        find_at(text, at + 1, hash_word(text.substr(at + 1, end - at - 1), scope), scope, found);
      at = end;
    }
  }
  if (!numbers_.empty()) find_numbers(text, scope, found);
  return found;
}

void KnownValues::find_at(std::string_view text, std::size_t word, std::uint64_t hash, Scope scope,
                          std::vector<Entity>& found) const {
  std::size_t slot = hash & (slots_.size() - 1);
  while (slots_[slot].first != 0 && slots_[slot].hash != hash)
    slot = (slot + 1) & (slots_.size() - 1);
  for (std::uint32_t next = slots_[slot].first; next != 0; next = forms_[next - 1].next) {
    const Form& form = forms_[next - 1];
    const EntityKey& key = form.entry->first;
    if (key.scope != scope || word < form.lead) continue;
    const std::size_t begin = word - form.lead;
    std::size_t end = begin + form.bytes.size();
    if (form.match == Match::name) {
      end = end_of_name(text, begin, form.bytes);
      if (end == std::string::npos) continue;
    } else {
      if (end > text.size()) continue;
      const std::string_view here = text.substr(begin, form.bytes.size());
      if (form.match == Match::exact ? here != form.bytes : !equal_any_case(here, form.bytes))
        continue;
      if (form.match == Match::name_part && (is_lower(here.front()) || here == form.bytes))
        continue;
    }
    if (!is_whole(text, begin, end, key.type)) continue;
    found.push_back({.type = key.type,
                     .begin = begin,
                     .end = end,
                     .value = form.match == Match::name_part ? std::string(form.bytes) : key.value,
                     .kind = form.entry->second.kind});
  }
}

void KnownValues::find_numbers(std::string_view text, Scope scope,
                               std::vector<Entity>& found) const {
  DigitRuns runs(text);
  std::string digits;
  while (const DigitRun* next = runs.next(number_digits_min)) {
    const DigitRun& run = *next;
    for (std::size_t first = 0; first < run.groups.size(); ++first) {
      digits.clear();
      for (std::size_t last = first; last < run.groups.size(); ++last) {
        digits += text.substr(run.groups[last].begin, run.groups[last].size());
        if (digits.size() > number_digits_max + phone_prefix_digits_max) break;
        for (std::size_t prefix = 0;
             prefix <= phone_prefix_digits_max && prefix + number_digits_min <= digits.size();
             ++prefix) {
          const std::string_view all = digits;
          const auto known = numbers_.find(all.substr(prefix));
          if (known == numbers_.end()) continue;
          for (const auto* entry : known->second) {
            const auto& [key, facts] = *entry;
            const bool phone = key.type == EntityType::phone;
            if (key.scope != scope || (prefix > 0 && !phone)) continue;
            if (phone && !is_phone_prefix(all.substr(0, prefix), facts.phone_countries)) continue;
            found.push_back({.type = key.type,
                             .begin = run.groups[first].begin,
                             .end = run.groups[last].end,
                             .value = key.value,
                             .kind = facts.kind});
          }
        }
      }
    }
  }
}

}  // namespace understudy::s2
