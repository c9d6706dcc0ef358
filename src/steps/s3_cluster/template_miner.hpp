// Finds the template of calls that come from one place in an agent's code: constants that (nearly)
// every prompt has, in order, and the slots between them.
//
// Not greedy: text that many prompts share by chance ("the", a full stop, a snippet of code) is no
// constant. A constant needs several words or a delimiter, enough distinct surroundings, and, where
// it is short, the same number of occurrences in each prompt. Pure and deterministic.
#pragma once

#include <string_view>
#include <vector>

#include "records/prompt_template.hpp"

namespace understudy::s3 {

struct MinerOptions {
  double outliers_max = 0.02;   // share of the prompts that may be left without a match
  std::size_t sample_max = 64;  // prompts that are mined; all are checked
};

struct MinedTemplate {
  PromptTemplate shape;
  std::vector<bool> matches;  // per prompt
};

// `prompts` must not be empty. The result matches at least 1 - outliers_max of them.
MinedTemplate mine_template(const std::vector<std::string_view>& prompts,
                            const MinerOptions& options);

}  // namespace understudy::s3
