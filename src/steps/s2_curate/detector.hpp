// Finds personal data and secrets in one string of a JSON tree: the pattern scanner says where to
// look, a finder per type decides. Immutable once made and thread-safe.
#pragma once

#include <vector>

#include "adapters/text/pattern_scanner.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/entity.hpp"
#include "steps/s2_curate/finders.hpp"

namespace understudy::s2 {

class Detector {
 public:
  static Result<Detector> create();

  // Without overlaps, in order.
  [[nodiscard]] std::vector<Entity> detect(const Leaf& leaf) const;

 private:
  explicit Detector(text::PatternScanner scanner) : scanner_(std::move(scanner)) {}
  text::PatternScanner scanner_;
};

}  // namespace understudy::s2
