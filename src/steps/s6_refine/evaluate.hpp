// S6, the evidence: what a task's newest artifact answers on calls that it has not seen, compared
// with what the LLM answered. The calibration split sets the threshold and carries the certificate;
// the test split is looked at once, beside it. Needs the trainer's key. Uses the model as the
// gateway will.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "adapters/lm/chat_client.hpp"
#include "adapters/lm/small_model.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "economics/price_table.hpp"
#include "quality/agreement_curve.hpp"
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
  // A cheaper API model as a baseline: asked the first so many test calls.
  std::optional<lm::ChatEndpoint> cheaper = std::nullopt;
  std::size_t cheaper_calls_max = 200;
  double margin = 0.02;  // loss of task success that is accepted, where calls have rewards
  SelfConsistency self_consistency = {};                 // how the model is asked
  std::optional<ModelEndpoint> endpoint = std::nullopt;  // of an adapter; default: our own server
  // Of the artifact; evaluate() takes both from there.
  std::optional<ConfidenceModel> confidence = std::nullopt;
  std::vector<quality::AgreementBin> beside = {};  // of a model like it: quality::certify()
};

// Stores the evaluation, whatever its verdict. not_found says to run `understudy tune`;
// invalid_input for an alpha or delta outside (0, 1), or samples of a model that always says the
// same; unavailable where the model answered nothing at all.
Result<Evaluation> evaluate(const store::Home& home, const TaskId& task,
                            const EvaluateOptions& options);

// One proof for several small tasks together (quality/pooled_certificate.hpp); an evaluation is
// stored for each, in the order given. invalid_input for fewer than two, or one named twice.
Result<std::vector<Evaluation>> evaluate_pool(const store::Home& home,
                                              std::span<const TaskId> tasks,
                                              const EvaluateOptions& options);

// The same without a home: asks the model and judges. `alpha` and `delta` in (0, 1). `prices`: of
// the cheaper model and the LLM; default: the built-in ones.
Result<Evaluation> evaluate_model(const lm::SmallModel& model, const Task& task,
                                  const HeldOut& held_out, const economics::PriceTable& prices,
                                  const EvaluateOptions& options);
Result<Evaluation> evaluate_model(const lm::SmallModel& model, const Task& task,
                                  const HeldOut& held_out, const EvaluateOptions& options);

}  // namespace understudy::s6
