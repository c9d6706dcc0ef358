// Keeps what held-out calls say out of the training data: a call of the train split most of whose
// word 13-grams (templates apart) stand in calls that judge the model would teach it the answers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "records/example.hpp"
#include "steps/s2_curate/duplicates/near_duplicates.hpp"

namespace understudy::s2 {

// Share of a call's 13-grams from which on it is contaminated. One shared 13-gram is no evidence in
// logs, where calls of different sessions read the same page or table.
inline constexpr double contaminated_share_min = 0.8;

// True for each call of the train split that is contaminated. Memory: a Bloom filter of 16 MiB.
Result<std::vector<bool>> find_contaminated(const ShingleStore& shingles,
                                            const std::vector<Split>& splits);

}  // namespace understudy::s2
