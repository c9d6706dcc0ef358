// How a task's agreement grows with its training examples: models of an eighth, a quarter, a half
// and all of 2,000 examples at most, and one of four fifths of the training split, each asked about
// the fifth that none of them saw. Only the train split is used, so that calibration and test calls
// stay unseen. Says whether more calls would help, and how far the last one, which is much like the
// task's own model, can be trusted at which confidence; proves nothing. Holds plaintext while it
// runs. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "adapters/text/classifier.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "quality/agreement_curve.hpp"

namespace understudy::s5 {

struct LearningPoint {
  std::uint64_t examples = 0;  // learned from
  std::uint64_t asked = 0;     // of the fifth held out
  std::uint64_t agreed = 0;    // with the teacher
};

struct LearningCurve {
  std::vector<LearningPoint> points;              // rising
  std::vector<quality::AgreementBin> at_the_end;  // the last point's answers
};

// Deterministic; equal texts are on one side. Sizes that are too small to train on are left out:
// empty where no two are left.
Result<LearningCurve> learning_curve(const std::vector<text::LabelledText>& examples,
                                     const text::ClassifierOptions& options);

json::array to_json(const std::vector<LearningPoint>& points);

}  // namespace understudy::s5
