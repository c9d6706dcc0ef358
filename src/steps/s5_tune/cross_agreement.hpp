// How far a task's classifier can be trusted at which confidence, from its training examples alone:
// two models of half of them each are asked about the other half. There are many more of these
// answers than a task has calibration calls, so that they help to choose a threshold among those
// that a certificate allows; they prove nothing. Holds plaintext while it runs. Pure.
#pragma once

#include <vector>

#include "adapters/text/classifier.hpp"
#include "base/result.hpp"
#include "quality/agreement_curve.hpp"

namespace understudy::s5 {

// Deterministic; equal texts are on one side. Empty where the half of them says little about all.
Result<std::vector<quality::AgreementBin>> cross_agreement(
    const std::vector<text::LabelledText>& examples, const text::ClassifierOptions& options);

}  // namespace understudy::s5
