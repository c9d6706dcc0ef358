// Asking a small model several times and letting its answers vote: an option of a task, chosen when
// its model is measured and in force as long as that proof is. Plain data.
#pragma once

#include <cstdint>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy {

struct SelfConsistency {
  // Each costs a whole answer's time; beyond a handful the vote hardly changes (arXiv 2203.11171,
  // figure 2, gains most with the first five to ten).
  static constexpr std::int64_t samples_max = 16;
  static constexpr double temperature_max = 2;

  std::int64_t samples = 1;  // 1: asked once, nothing is drawn
  double temperature = 0.7;  // of the samples behind the first

  bool operator==(const SelfConsistency&) const = default;
};

// invalid_input outside 1..samples_max and (0, temperature_max].
Status check(const SelfConsistency& manner);
json::value to_json(const SelfConsistency& manner);
// Of a record's member "self_consistency": absent in those of before, which asked once.
Result<SelfConsistency> self_consistency_of(const json::value& record);

}  // namespace understudy
