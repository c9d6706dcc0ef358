// Names of people, places and organisations. Immutable once made and thread-safe.
#pragma once

#include <vector>

#include "steps/s2_curate/detect/entity.hpp"
#include "steps/s2_curate/detect/finders.hpp"

namespace understudy::s2 {

class NameFinder {
 public:
  void find(const Leaf& leaf, double score_min, std::vector<Entity>& found) const;
};

}  // namespace understudy::s2
