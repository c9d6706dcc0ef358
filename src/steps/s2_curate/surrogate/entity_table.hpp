// All personal values of a data set, with what their surrogates are drawn from. A value belongs to
// a scope (a tenant, or all of them): equal values of two scopes are two. Plaintext in memory, for
// the time of one curation.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "steps/s2_curate/detect/entity.hpp"

namespace understudy::s2 {

using Scope = std::uint64_t;  // 0: everybody

struct EntityKey {
  EntityType type = EntityType::secret;
  std::string value;  // normalise()d
  Scope scope = 0;
  auto operator<=>(const EntityKey&) const = default;
};

struct EntityFacts {
  std::string kind;  // of a secret; the alphabetically first one where finders differ
  std::vector<int> phone_countries;  // ascending
  std::vector<std::string> written;  // ways of writing an id, a few of them, ascending
};

using EntityTable = std::map<EntityKey, EntityFacts>;

// Equal for every way of writing a value: an id without separators, a name in lower case with
// single spaces.
std::string normalise(const Entity& entity);
EntityKey key_of(const Entity& entity, Scope scope);

// A number of an authority or a bank: its separators mean nothing, its check digits do.
constexpr bool is_id(EntityType type) {
  return type >= EntityType::us_ssn && type <= EntityType::ru_snils;
}

void add_to(EntityTable& table, const Entity& entity, Scope scope);
void merge_into(EntityTable& table, const EntityTable& part);

// The words of a name.
std::vector<std::string_view> name_parts(std::string_view name);

}  // namespace understudy::s2
