// Logistic regression over a few dense features (liblinear): which answers a small model's signs
// speak for. Pure and deterministic.
#pragma once

#include <span>
#include <vector>

namespace understudy::text {

// L2-regularised. `rows`: features of each example, all of one length; `labels`: as many, of both
// kinds. Features are brought to one scale inside, so that the cost weighs them alike. One weight a
// feature, then the bias, for the features as they were given.
std::vector<double> fit_logistic(std::span<const std::vector<double>> rows,
                                 const std::vector<bool>& labels, double cost);

}  // namespace understudy::text
