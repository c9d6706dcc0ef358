// What the gateway follows: per task how to recognise it and which small model may answer, under
// which condition. Written (signed, versioned) by the control plane, read by `serve` without a
// secret key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "records/answer.hpp"
#include "records/model.hpp"
#include "records/prompt_template.hpp"
#include "records/task.hpp"

namespace understudy {

enum class RouteMode { off, active };

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
  double threshold = 2;  // accept when confidence >= threshold
  double alpha = 0.05;
  double delta = 0.1;
};

struct RoutingPolicy {
  std::int64_t version = 0;  // grows by one with every change
  UnixMicros made_at;
  std::string reason;  // "promote t-12ab", "rollback t-12ab"
  std::vector<TaskPolicy> tasks;
};

json::value to_json(const RoutingPolicy& policy);
Result<RoutingPolicy> routing_policy_from_json(const json::value& tree);

}  // namespace understudy
