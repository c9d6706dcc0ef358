// S4: which small models may be tried for a task, ranked, each with its reasons; those that are out
// say why. Looks at metadata only, trains nothing, reads no content. Under a second, but for the
// machine's first measurement.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "economics/price_table.hpp"
#include "records/model.hpp"
#include "records/task.hpp"
#include "steps/s4_select/catalogue.hpp"
#include "steps/s4_select/machine_profile.hpp"
#include "steps/s4_select/model_library.hpp"

namespace understudy::s4 {

struct SelectOptions {
  // Licences that permit use in a product without a lawyer's reading.
  std::vector<std::string> licences = {"apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0"};
  std::optional<machine::Machine> machine;  // default: this one
};

// What a small model has to beat (`evaluate` measures it). An exact-match cache needs no model and
// no proof; a cheaper API model needs no machine.
struct Baseline {
  std::string name;           // "exact-match cache", or the model's
  double share_of_calls = 0;  // of the task's recorded calls that it could answer
  double usd_per_call = 0;    // at list prices; 0: free, or no price
  std::string reason;
};

struct Selection {
  TaskId task;
  MachineProfile machine;
  std::vector<Candidate> candidates;  // eligible first, best first
  std::vector<Baseline> baselines = {};
  std::int64_t calls_missing = 0;  // before any proof at the usual alpha and delta is possible
};

Result<Selection> select(const store::Home& home, const TaskId& task, const SelectOptions& options);

// What a selection is made from; pure.
struct SelectionInputs {
  Task task;
  machine::Machine machine;
  lm::ComputeSpeed speed;
  std::vector<CatalogueModel> catalogue;
  std::vector<InstalledModel> installed;
  std::string weights_directory;
  std::vector<std::string> licences;
  std::int64_t distinct_calls = 0;  // of the task, repeats counted once
  economics::PriceTable prices = economics::PriceTable::built_in();
};
Selection rank_candidates(const SelectionInputs& inputs);

json::value to_json(const Selection& selection);

}  // namespace understudy::s4
