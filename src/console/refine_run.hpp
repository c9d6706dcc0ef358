// One refinement from its stage to its end. Private to console. One thread.
#pragma once

#include <optional>
#include <string>

#include "adapters/store/metadata.hpp"
#include "console/refine_jobs.hpp"
#include "records/model.hpp"
#include "records/refinement.hpp"

namespace understudy::console {

class RefineRun {
 public:
  // `curated_already`: in this call, for another task.
  RefineRun(const store::Home& home, const RefineRequest& request, bool curated_already)
      : home_(home), request_(request), curated_already_(curated_already) {}

  // Goes on until `refinement` is done; stores it after each stage. An error leaves it open: the
  // next call goes on with it. What a challenger cannot be made from is no error but an outcome.
  Status finish(Refinement& refinement);

 private:
  Status curate(Refinement& refinement);
  Status assign(Refinement& refinement);
  Status tune(Refinement& refinement);
  Status measure(Refinement& refinement);
  Status decide(Refinement& refinement);
  Status keep(Refinement& refinement, RefineStage stage);

  const store::Home& home_;
  const RefineRequest& request_;
  bool curated_already_;
};

// What S4 finds eligible for a task, the best first: "classifier", "nano", "adapter:FILE", with
// the base model's path. The form of Refinement::candidate.
Result<std::vector<std::string>> eligible_candidates(const store::Home& home, const TaskId& task);
// The candidate that an artifact was.
std::string candidate_of(const Artifact& artifact);

}  // namespace understudy::console
