// Finds personal data and secrets in one string of a JSON tree: one pass for literals (key
// prefixes, context words), one over the bytes (digits, "@", capital letters) say where to look, a
// finder per type decides. Immutable once made and thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "steps/s2_curate/detect/custom_rules.hpp"
#include "steps/s2_curate/detect/entity.hpp"
#include "steps/s2_curate/detect/finders.hpp"
#include "steps/s2_curate/detect/recogniser.hpp"

namespace understudy::s2 {

struct DetectorOptions {
  double score_min = 0.5;
  std::vector<CustomRule> rules = {};
  std::shared_ptr<const Recogniser> recogniser = nullptr;  // shared with who looks at its failure()
};

class Detector {
 public:
  static Result<Detector> create(const DetectorOptions& options = {});
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;

  // Without overlaps, in order; with a score_min of 0 everything that may be something, with
  // overlaps.
  [[nodiscard]] std::vector<Entity> detect(const Leaf& leaf) const;

 private:
  struct State;
  explicit Detector(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace understudy::s2
