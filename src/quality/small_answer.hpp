// How a small model is asked for a task's answer, and how sure it is: held to the grammar of what
// the request demands, once or several times (self-consistency, arXiv 2203.11171), with one
// confidence. `evaluate`, `replay`, the gateway and whoever else asks do it by this one function,
// so that what is proven is what runs. Pure but for the model.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "quality/answer_shape.hpp"
#include "records/answer.hpp"
#include "records/confidence_model.hpp"
#include "records/policy.hpp"
#include "records/prediction.hpp"
#include "records/self_consistency.hpp"

namespace understudy::quality {

// What is the same for all calls of a task. Refers to what the caller has.
struct AnswerManner {
  AnswerForm form = AnswerForm::text;
  std::span<const std::string> answer_set = {};  // canonical labels, sorted; for labels
  const std::optional<ConfidenceModel>& confidence;
  SelfConsistency self_consistency = {};
};

// As the policy says; refers to it.
AnswerManner manner_of(const TaskPolicy& task);

using Predict = std::function<Result<Prediction>(const Question&)>;

// The answer that wins the vote, with its confidence. Tokens and time are those of all samples. The
// first sample is the likeliest answer, the others are drawn; answers that agree by the task's
// comparator vote together; among equals the surer ones win. With k samples the confidence is
// (votes - 1 + the winner's own confidence) / k: more votes are always surer. The model's error
// where one sample fails; timeout where all of them together take too long.
Result<Prediction> small_answer(const Predict& predict, std::vector<std::string> slots,
                                const AnswerShape& shape, const AnswerManner& manner);

}  // namespace understudy::quality
