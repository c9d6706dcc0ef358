// One confidence of a generated answer from its signs: how likely its least sure token and a tenth
// of its tokens are, how far they lie above the second choice, how long it is, whether it is valid
// for the call at all. The artifact's model makes a score of them and a share of answers that agree
// with the teacher out of the score (isotonic calibration). Without a model, as in artifacts of
// before, the probability of the least sure token is the confidence. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "records/confidence_model.hpp"
#include "records/prediction.hpp"

namespace understudy::quality {

inline constexpr std::size_t confidence_features = 7;

// In the order of ConfidenceModel::weights; probabilities as their log-odds, all within bounds.
std::vector<double> features_of(const AnswerSigns& signs, bool valid);

// The model's weighted sum; 0 for a model of another number of features.
double score_of(const ConfidenceModel& model, const AnswerSigns& signs, bool valid);

// 0..1 and rising with the score, also where the curve is level: its order is what a threshold
// needs. 0 stays 0: that is no answer.
double answer_confidence(const std::optional<ConfidenceModel>& model, const Prediction& prediction,
                         bool valid);

}  // namespace understudy::quality
