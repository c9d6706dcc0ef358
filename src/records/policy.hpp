// What the gateway follows: per task how to recognise it and which small model may answer, under
// which condition. Written (signed, versioned) by the control plane, read by `serve` without a
// secret key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "records/answer.hpp"
#include "records/confidence_model.hpp"
#include "records/model.hpp"
#include "records/model_endpoint.hpp"
#include "records/prompt_template.hpp"
#include "records/self_consistency.hpp"
#include "records/task.hpp"

namespace understudy {

enum class RouteMode {
  off,     // the LLM answers, the small model is not asked
  shadow,  // the LLM answers; the small model is asked behind it and compared
  canary,  // a share of the sessions as in `active`, the others as in `shadow`
  active,  // the small model answers what it is sure of
};
std::string_view to_string(RouteMode mode);
Result<RouteMode> parse_route_mode(std::string_view text);

// How long a slot's values were when the task was clustered.
struct SlotLengths {
  std::int64_t median = 0;  // bytes
  std::int64_t longest = 0;
};

struct TaskPolicy {
  TaskId task;
  std::string name;
  RouteMode mode = RouteMode::off;
  StructureKey key;  // tools and response_form must be equal; the template stands for the rest
  PromptTemplate prompt_template;
  AnswerForm answer_form = AnswerForm::text;
  std::vector<std::string> answer_set;
  CandidateKind kind = CandidateKind::nano;
  ArtifactId artifact;
  std::optional<ConfidenceModel> confidence = std::nullopt;  // the artifact's, as it was proven
  SelfConsistency self_consistency = {};                     // as it was proven
  std::optional<ModelEndpoint> endpoint = std::nullopt;      // where it was proven; else ours
  double threshold = 2;                                      // accept when confidence >= threshold
  double alpha = 0.05;
  double delta = 0.1;
  double canary_share = 0.1;     // of the sessions, in mode canary
  double audit_share = 0.02;     // of the accepted calls: the LLM is asked too
  double expected_coverage = 0;  // share above the threshold when it was certified; 0: not known
  double expected_share = 0;     // of all calls when it was clustered; 0: not known
  std::vector<SlotLengths> expected_slots = {};  // one per slot of the template; empty: not known
  UnixMicros decided_at = {};                    // a veto that is older than this counts no more
};

// As JSON with "format": 3. Format 1 had the modes off and active only and none of the fields from
// canary_share on, format 2 none of confidence, self_consistency and endpoint; they are read with
// their defaults. A newer format is refused: a threshold means nothing without the confidence it is
// for.
struct RoutingPolicy {
  std::int64_t version = 0;  // grows by one with every change
  UnixMicros made_at;
  std::string reason;          // "promote t-12ab", "rollback t-12ab"
  UnixMicros resumed_at = {};  // a veto on everything that is older than this counts no more
  std::vector<TaskPolicy> tasks;
};

// The task where a small model has a part in it, in whatever mode; nullptr where there is none.
const TaskPolicy* find_live(const RoutingPolicy& policy, const TaskId& task);

json::value to_json(const RoutingPolicy& policy);
Result<RoutingPolicy> routing_policy_from_json(const json::value& tree);

}  // namespace understudy
