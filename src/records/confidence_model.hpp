// How the signs of a generated answer become one confidence: a line of logistic regression over
// features gives a score, a rising curve of knots gives the share of such answers that agree with
// the teacher. Fitted by S5 on training calls that the model did not learn from, stored with the
// artifact and in the signed policy, used by quality/small_answer. Plain data.
#pragma once

#include <cstdint>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy {

struct Knot {
  double score = 0;
  double value = 0;

  bool operator==(const Knot&) const = default;
};

struct ConfidenceModel {
  std::vector<double> weights;  // one per feature, then the bias
  std::vector<Knot> curve;      // scores rise, values do not fall and lie in 0..1; at least one
  std::int64_t calls = 0;       // that it was fitted on
  std::int64_t disagreements = 0;

  bool operator==(const ConfidenceModel&) const = default;
};

json::value to_json(const ConfidenceModel& model);
// corrupt where it is not as described above: a confidence must rise with the score.
Result<ConfidenceModel> confidence_model_from_json(const json::value& tree);

}  // namespace understudy
