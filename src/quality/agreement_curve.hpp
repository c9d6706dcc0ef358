// How likely a call of some confidence agrees with the teacher: a logistic curve over the
// confidence's log-odds, fitted to judged calls (Platt scaling, with Platt's targets: J. Platt,
// Advances in Large Margin Classifiers, 1999). Two numbers are learned, so that it is steady with a
// few hundred calls. Proves nothing: certificates do. Pure and deterministic.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "quality/agreement.hpp"

namespace understudy::quality {

// Judged calls of about one confidence.
struct AgreementBin {
  double confidence = 0;
  std::int64_t calls = 0;
  std::int64_t agreed = 0;
};

// At most a hundred or so, by the log-odds of the confidence, rising.
std::vector<AgreementBin> agreement_bins(std::span<const Judged> calls);

// In a training's report (Artifact::metrics_json), for those who choose the model's threshold; none
// are read where none were written.
void write_bins(json::object& report, std::span<const AgreementBin> bins);
std::vector<AgreementBin> bins_in(std::string_view report);

class AgreementCurve {
 public:
  explicit AgreementCurve(std::span<const AgreementBin> bins);

  [[nodiscard]] double disagreement_at(double confidence) const;  // 0..1

 private:
  double offset_ = 0;
  double slope_ = 0;
};

}  // namespace understudy::quality
