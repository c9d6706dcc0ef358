// How sure a generated answer may be: after a model is trained it is asked the training calls that
// were kept from it (records/task_splits), and what its answers' signs say about their agreement
// with the teacher is learned. None of these calls proves anything later: the certificate's are
// others. Holds plaintext; lives as long as one tuning.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "adapters/lm/small_model.hpp"
#include "base/ids.hpp"
#include "quality/answer_shape.hpp"
#include "records/confidence_model.hpp"
#include "records/example.hpp"
#include "records/task.hpp"

namespace understudy::s5 {

struct FittingCall {
  std::vector<std::string> slots;
  Answer teacher;
  quality::AnswerShape shape = {};
};

// `members`: the calls that clustering assigned to the task.
std::vector<FittingCall> fitting_calls(std::span<const Example> examples, const Task& task,
                                       const std::unordered_set<CallId>& members);

struct SignedAnswer {
  AnswerSigns signs;
  double plain = 0;  // the confidence without a model of it
  bool valid = false;
  bool agrees = false;
};

// Nothing where there are too few answers or disagreements to learn from, or where,
// cross-validated, the learned score does not sort right from wrong answers better than the plain
// confidence. Pure.
std::optional<ConfidenceModel> fit_confidence(std::span<const SignedAnswer> answers);

// Asks the model, several calls at a time. Nothing also for a model that does not tell its signs.
std::optional<ConfidenceModel> learn_confidence(const lm::SmallModel& model, const Task& task,
                                                std::span<const FittingCall> calls);

}  // namespace understudy::s5
