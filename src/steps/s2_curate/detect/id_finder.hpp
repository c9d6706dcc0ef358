// Finds the ids of id_rules.hpp in a stretch of a text. Immutable once made and thread-safe.
#pragma once

#include <bitset>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "steps/s2_curate/detect/entity.hpp"
#include "steps/s2_curate/detect/finders.hpp"
#include "steps/s2_curate/detect/form_pattern.hpp"
#include "steps/s2_curate/detect/id_rules.hpp"

namespace understudy::s2 {

using TypeSet = std::bitset<entity_type_count>;

class IdFinder {
 public:
  static Result<IdFinder> create();

  // Ids that begin within `stretch` and whose score, with the types in `announced` taken for
  // announced by the context, is `score_min` or more.
  void find(std::string_view text, Place stretch, const TypeSet& announced, double score_min,
            std::vector<Entity>& found) const;

  // What the rules of a type say about a whole text; the best where several match.
  [[nodiscard]] Verdict verify(EntityType type, std::string_view written) const;

 private:
  struct Form {
    IdRule rule;
    FormPattern pattern;
  };
  explicit IdFinder(std::vector<Form> forms) : forms_(std::move(forms)) {}
  std::vector<Form> forms_;
};

}  // namespace understudy::s2
