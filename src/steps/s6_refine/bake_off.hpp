// S4's bake-off: the trained models of a task compete on its calibration calls by successive
// halving (Jamieson and Talwalkar, AISTATS 2016). All answer a few calls, the better half answers
// twice as many, until one is left: a dear model that is clearly worse costs few calls. Because the
// winner was chosen on the calls that certify it, its certificate shares delta among all that
// entered. Needs the trainer's key.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "adapters/lm/small_model.hpp"
#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/evaluation.hpp"
#include "records/model.hpp"
#include "records/task.hpp"
#include "steps/s6_refine/evaluate.hpp"
#include "steps/s6_refine/held_out.hpp"

namespace understudy::s6 {

struct Entrant {
  ArtifactId artifact;
  CandidateKind kind = CandidateKind::nano;
  std::int64_t calls = 0;   // that it was asked before it left
  std::int64_t agreed = 0;  // of them
  // Share of those calls that it could keep with at most alpha disagreeing; no promise, an order.
  double keeps = 0;
  int rounds = 0;
  std::string error;  // it answered nothing: left at once
};

struct BakeOff {
  std::vector<Entrant> entrants;  // the winner first, then by how long they stayed
  Evaluation winner;              // at level delta / entrants
};

// The task's newest artifacts enter, eight at most.
// not_found where the task has no model. Stores the winner's evaluation.
Result<BakeOff> bake_off(const store::Home& home, const TaskId& task,
                         const EvaluateOptions& options);

struct Contender {
  Entrant entrant;
  const lm::SmallModel* model = nullptr;
};
// The rounds alone, on calls in a fixed order. The winner comes first.
std::vector<Entrant> halve(std::vector<Contender> contenders, const Task& task,
                           std::span<const HeldOutCall> calls, double alpha);

json::value to_json(const BakeOff& bake_off);

}  // namespace understudy::s6
