// Cuts a call site into tasks where one place in the code asks for different things:
//   * a multi-turn tool loop, by what the call does next (each tool, or a reply);
//   * free prompts below no system prompt, or one that several sites share: by a common beginning
//     of the user's text, else by answer shape and text (n-grams, SVD, kNN, Leiden).
// A site with a template or a system prompt of its own stays whole: 150 intents below one
// instruction are one task. Deterministic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "steps/s3_cluster/call_sites.hpp"
#include "steps/s3_cluster/call_view.hpp"

namespace understudy::s3 {

struct TaskCalls {
  std::vector<std::uint32_t> calls;
  std::size_t site = 0;  // index into the sites
  std::string action;    // what all calls do, where that is what split them
};

Result<std::vector<TaskCalls>> split_sites(const std::vector<CallView>& views,
                                           const std::vector<CallSite>& sites,
                                           const CallSiteOptions& options);

}  // namespace understudy::s3
