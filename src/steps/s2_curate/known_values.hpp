// All personal values that the detector found anywhere in a data set, and a search for them in any
// way of writing. A value found once by its context ("my phone is ...") is thereby found wherever
// it is repeated without one, as in a tool call's arguments; and what is left after rewriting is
// found again, so that curation can fail closed. Immutable once made and thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/text/pattern_scanner.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/detect/entity.hpp"

namespace understudy::s2 {

struct EntityKey {
  EntityType type = EntityType::secret;
  std::string value;  // as Entity::value
  auto operator<=>(const EntityKey&) const = default;
};

struct EntityFacts {
  std::string kind;  // of a secret; the alphabetically first one where finders differ
  std::set<int> phone_countries;
};

using EntityTable = std::map<EntityKey, EntityFacts>;

void add_to(EntityTable& table, const Entity& entity);

class KnownValues {
 public:
  static Result<KnownValues> create(const EntityTable& table);

  // Occurrences in any letter case (but secrets), numbers also with other separators or
  // prefixes. May overlap.
  [[nodiscard]] std::vector<Entity> find(std::string_view text) const;

 private:
  explicit KnownValues(text::PatternScanner scanner) : scanner_(std::move(scanner)) {}
  void find_numbers(std::string_view text, std::vector<Entity>& found) const;

  text::PatternScanner scanner_;
  std::vector<std::pair<EntityKey, std::string>> literals_;  // with the kind; by literal id
  std::set<std::string, std::less<>> cards_;
  std::unordered_map<std::string, std::set<int>> phones_;
};

}  // namespace understudy::s2
