// Logits of a few texts by our forward pass in f32, and how far they are from others'. What exports
// are compared by.
#pragma once

#include <span>
#include <vector>

#include "steps/s5_tune/torch/merged_export.hpp"

namespace understudy::s5 {

using LogitRows = std::vector<std::vector<float>>;

// Of every token. An adapter must compute in f32.
LogitRows our_logits(const TunedModel& model, const TokenText& text);
// An adapter's parameters, computed in f32.
Result<Adapter> in_f32(const DecoderPlan& plan, const Adapter& adapter);
std::vector<TokenText> texts_to_compare(std::span<const TokenText> texts);
double largest_of(const LogitRows& rows);
void take_larger(double& most, double now);            // NaN is larger than all, and stays
double apart(const LogitRows& a, const LogitRows& b);  // NaN where one has it

// f32 against f32 in another order of summation: 1e-5 is usual.
inline constexpr double difference_max_f32 = 2e-3;
inline constexpr double effect_min = 1e-5;

}  // namespace understudy::s5
