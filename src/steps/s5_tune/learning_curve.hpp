// How a task's agreement grows with its training examples: models of an eighth, a quarter, a half
// and all of four fifths of the training split, of 2,000 examples at most, each asked about the
// fifth that none of them saw.
// Only the train split is used, so that calibration and test calls stay unseen. Says whether more
// calls would help; proves nothing. Holds plaintext while it runs. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "adapters/text/classifier.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::s5 {

struct LearningPoint {
  std::uint64_t examples = 0;  // learned from
  std::uint64_t asked = 0;     // of the fifth held out
  std::uint64_t agreed = 0;    // with the teacher
};

// Deterministic; equal texts are on one side. Sizes that are too small to train on are left out:
// empty where no two are left.
Result<std::vector<LearningPoint>> learning_curve(const std::vector<text::LabelledText>& examples,
                                                  const text::ClassifierOptions& options);

json::array to_json(const std::vector<LearningPoint>& curve);

}  // namespace understudy::s5
