// Counts for the report of one curation, while its examples come and when they have all come. One
// thread.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "steps/s2_curate/curate.hpp"
#include "steps/s2_curate/curation_plan.hpp"
#include "steps/s2_curate/examine_call.hpp"
#include "steps/s2_curate/paraphrase_plan.hpp"
#include "steps/s2_curate/second_look.hpp"
#include "steps/s2_curate/surrogate/entity_table.hpp"

namespace understudy::s2 {

class ReportTally {
 public:
  // Both must outlive it.
  ReportTally(const KnownTasks& tasks, const ParaphrasePlan& paraphrase)
      : tasks_(tasks), paraphrase_(paraphrase) {}

  void repaired(std::uint64_t calls) { report_.repaired += calls; }
  // What became of a call that the plan keeps.
  void add(const SecondLook& look, const PlannedCall& planned);
  // After the last call; without data set, warnings of the log, and seconds.
  CurateReport finish(const CurationPlan& plan, const EntityTable& originals,
                      const CurateSettings& settings);

 private:
  void count_paraphrase(const SecondLook& look, const PlannedCall& planned);
  void count_plan(const CurationPlan& plan);
  void count_values(const EntityTable& originals);

  const KnownTasks& tasks_;
  const ParaphrasePlan& paraphrase_;
  CurateReport report_;
  std::unordered_set<std::uint64_t> sessions_;
};

}  // namespace understudy::s2
