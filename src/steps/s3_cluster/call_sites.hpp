// Groups calls by the place in the agents' code that they come from: the same tools and response
// form, and the same template lines in system prompt and user messages. Knows nothing of answers.
//
// Lines that recur over calls and sessions become sparse rows (system and user side weigh the
// same), a kNN graph without same-session neighbours is cut by Leiden into more clusters than there
// are sites, and clusters whose common lines agree on both sides are merged again. Deterministic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "steps/s3_cluster/call_view.hpp"
#include "steps/s3_cluster/embedding_cache.hpp"

namespace understudy::s3 {

struct CallSiteOptions {
  std::size_t calls_min = 5;
  std::size_t sessions_min = 2;
  std::uint64_t seed = 1;
  const Embedder* embed = nullptr;  // of free texts; without one their n-grams are compared
};

// A line that (nearly) all calls of a site share, with its weight in comparisons.
struct CoreLine {
  std::uint64_t mask = 0;
  double weight = 0;
};

struct CallSite {
  std::vector<std::uint32_t> calls;   // indices into the views, ascending
  std::vector<CoreLine> system_core;  // sorted by mask
  std::vector<CoreLine> user_core;    // empty: the user side has no template lines
};

// Every call is in exactly one site; sites may be smaller than the minima (the caller decides).
Result<std::vector<CallSite>> find_call_sites(const std::vector<CallView>& views,
                                              const CallSiteOptions& options);

// Share of a's weight that b has too, divided by the smaller side (1 for two empty ones).
struct CoreOverlap {
  double of_smaller = 0;
  double of_larger = 0;
};
CoreOverlap overlap(const std::vector<CoreLine>& a, const std::vector<CoreLine>& b);

}  // namespace understudy::s3
