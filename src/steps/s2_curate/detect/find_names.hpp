// Names of people, places and organisations: gazetteers, what stands around a name ("my name is",
// "lives in", "Mr."), how addresses and companies are written, and names that the same text has
// given in full before. No model. Immutable once made and thread-safe.
#pragma once

#include <vector>

#include "steps/s2_curate/detect/entity.hpp"
#include "steps/s2_curate/detect/finders.hpp"
#include "steps/s2_curate/detect/gazetteer.hpp"

namespace understudy::s2 {

class NameFinder {
 public:
  void find(const Leaf& leaf, double score_min, std::vector<Entity>& found) const;

 private:
  Gazetteer gazetteer_;
};

}  // namespace understudy::s2
