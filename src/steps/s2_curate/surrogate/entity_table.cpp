#include "steps/s2_curate/surrogate/entity_table.hpp"

#include <algorithm>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/words.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t written_forms_max = 4;

bool is_name_byte(char c) {
  return is_alnum(c) || c == '\'' || static_cast<unsigned char>(c) >= 128;
}

template <class Item>
void add_sorted(std::vector<Item>& items, const std::vector<Item>& more) {
  for (const Item& item : more) {
    const auto place = std::ranges::lower_bound(items, item);
    if (place == items.end() || *place != item) items.insert(place, item);
  }
}

void merge(EntityFacts& facts, const EntityFacts& more, bool is_new) {
  if (is_new || more.kind < facts.kind) facts.kind = more.kind;
  add_sorted(facts.phone_countries, more.phone_countries);
  add_sorted(facts.written, more.written);
  // The smallest ones, so that the order in which they came does not matter.
  if (facts.written.size() > written_forms_max) facts.written.resize(written_forms_max);
}

}  // namespace

std::vector<std::string_view> name_parts(std::string_view name) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && is_name_byte(name[i])) continue;
    if (i > begin) parts.push_back(name.substr(begin, i - begin));
    begin = i + 1;
  }
  return parts;
}

std::string normalise(const Entity& entity) {
  if (is_id(entity.type)) return upper_ascii(only_alnum(entity.value));
  if (entity.type != EntityType::person) return entity.value;
  std::string name;
  for (const std::string_view part : name_parts(entity.value)) {
    if (!name.empty()) name += ' ';
    name += lower_unicode(part);
  }
  return name;
}

EntityKey key_of(const Entity& entity, Scope scope) {
  return {.type = entity.type, .value = normalise(entity), .scope = scope};
}

void add_to(EntityTable& table, const Entity& entity, Scope scope) {
  EntityKey key = key_of(entity, scope);
  if (key.value.empty()) return;  // "-", a name of signs alone
  EntityFacts more{.kind = entity.kind, .phone_countries = {}, .written = {}};
  if (entity.phone_country != 0) more.phone_countries.push_back(entity.phone_country);
  if (is_id(entity.type) && entity.value != key.value) more.written.push_back(entity.value);
  const auto [place, is_new] = table.try_emplace(std::move(key));
  merge(place->second, more, is_new);
}

void merge_into(EntityTable& table, const EntityTable& part) {
  for (const auto& [key, facts] : part) {
    const auto [place, is_new] = table.try_emplace(key);
    merge(place->second, facts, is_new);
  }
}

}  // namespace understudy::s2
