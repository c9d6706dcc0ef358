// S6, the evidence: what a task's newest artifact answers on calls that it has not seen, compared
// with what the LLM answered. The calibration split sets the threshold and carries the certificate;
// the test split is looked at once, beside it. Needs the trainer's key. Uses the model as the
// gateway will.
#pragma once

#include <optional>
#include <span>

#include "adapters/lm/chat_client.hpp"
#include "adapters/lm/small_model.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/evaluation.hpp"
#include "records/task.hpp"
#include "steps/s6_refine/held_out.hpp"

namespace understudy::s6 {

struct EvaluateOptions {
  double alpha = 0.05;  // disagreement that is accepted among kept calls
  double delta = 0.1;   // chance that the promise is wrong
  std::optional<ArtifactId> artifact = std::nullopt;  // default: the task's newest
  // Asked about kept test calls whose answers differ, at most so many, twice each.
  std::optional<lm::ChatEndpoint> judge = std::nullopt;
  std::size_t judged_calls_max = 50;
  // A cheaper API model: a baseline that is asked about test calls, at most so many.
  std::optional<lm::ChatEndpoint> cheaper = std::nullopt;
  std::size_t cheaper_calls_max = 100;
};

// Stores the evaluation, whatever its verdict. not_found says to run `understudy tune`;
// invalid_input for an alpha or delta outside (0, 1); unavailable where the model answered nothing
// at all.
Result<Evaluation> evaluate(const store::Home& home, const TaskId& task,
                            const EvaluateOptions& options);

// The same without a home, and so without prices: asks the model and judges; weighs no baselines.
// `alpha` and `delta` in (0, 1).
Result<Evaluation> evaluate_model(const lm::SmallModel& model, const Task& task,
                                  const HeldOut& held_out, const EvaluateOptions& options);

}  // namespace understudy::s6
