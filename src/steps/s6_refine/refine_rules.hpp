// S6, when the loop turns again for a task, and who wins: rules on facts, without a home. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "records/evaluation.hpp"
#include "records/model.hpp"
#include "records/task.hpp"
#include "records/watch.hpp"

namespace understudy::s6 {

struct RefineRules {
  double new_calls_share = 0.2;      // of the task's calls when it was clustered
  std::int64_t new_calls_min = 100;  // fewer are no reason, however small the task
  double age_days_max = 30;          // of the model; 0: no limit
  double coverage_gain_min = 0.01;   // a challenger must keep so much more than the champion
};

// The newest finished turn of the task, whatever came of it.
struct LastTurn {
  UnixMicros begun_at;
  std::int64_t new_calls = 0;  // answered by the LLM since then
};

struct TaskFacts {
  const Task& task;
  std::optional<Artifact> model = {};       // the live one, else the newest
  std::optional<Evaluation> evidence = {};  // the newest of that model
  std::optional<TaskWatch> watch = {};      // of the live one
  std::optional<Demotion> demotion = {};    // newer than the model
  std::int64_t new_calls = 0;               // answered by the LLM since the model was made
  std::optional<LastTurn> last_turn = {};
  UnixMicros now = {};
};

struct Trigger {
  std::string why;
  std::string branch;  // "S2": the data have changed; "S4": another kind of model may do better
};

// Nothing: all is well, or nothing has changed since the last turn tried to mend it.
std::optional<Trigger> find_trigger(const TaskFacts& facts, const RefineRules& rules);

struct Contest {
  bool challenger_wins = false;
  std::string reason;  // one sentence for people
};

// `champion`: measured on the same calls; nothing where the LLM answers. The challenger must be
// proven in any case.
Contest judge(const Evaluation& challenger, const std::optional<Evaluation>& champion,
              const RefineRules& rules);

}  // namespace understudy::s6
