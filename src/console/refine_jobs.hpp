// S6, the loop: looks for tasks whose data or models ask for another turn, makes a challenger (S2
// or S4 on, then S5), measures it and the champion on the same held-out calls, and lets the better
// one answer. For the command line, and for whoever calls it on a timer: each call does what is due
// and returns. A call that was killed is gone on with by the next one. One at a time in a home
// (HOME/refine.lock). Needs the curator's, the trainer's and the admin's keys.
#pragma once

#include <optional>
#include <string>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "steps/s6_refine/refine_rules.hpp"

namespace understudy::console {

struct RefineRequest {
  std::string task;    // empty: every task that has, or had, a model
  bool force = false;  // also where nothing asks for it
  double minutes_max = 10;
  double alpha = 0.05;
  double delta = 0.1;
  // For a task whose calls the LLM answers: how far a proven challenger may go live by itself.
  // "off" leaves that to `understudy promote`. A live task keeps its mode.
  std::string new_mode = "off";
  std::size_t models_kept = 3;  // per task, besides those that are live
  s6::RefineRules rules = {};
};

// {"refinements":[...], "idle": [...]}; conflict: another one is at work.
Result<json::value> refine(const store::Home& home, const RefineRequest& request);
// The turns so far, the newest first.
Result<json::value> list_refinements(const store::Home& home);

}  // namespace understudy::console
