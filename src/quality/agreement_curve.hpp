// How likely a call of some confidence agrees with the teacher: a logistic curve over the
// confidence's log-odds, fitted to judged calls (Platt scaling, with Platt's targets: J. Platt,
// Advances in Large Margin Classifiers, 1999). Two numbers are learned, so that it is steady with a
// few hundred calls. Proves nothing: certificates do. Pure and deterministic.
#pragma once

#include <span>

#include "quality/agreement.hpp"

namespace understudy::quality {

class AgreementCurve {
 public:
  explicit AgreementCurve(std::span<const Judged> calls);

  [[nodiscard]] double disagreement_at(double confidence) const;  // 0..1

 private:
  double offset_ = 0;
  double slope_ = 0;
};

}  // namespace understudy::quality
