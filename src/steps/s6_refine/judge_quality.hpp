// What stands beside the agreement of an evaluation: how alike free texts are, and what a judge
// model says of answers that differ. Neither decides. Private to steps/s6_refine.
#pragma once

#include <span>

#include "base/result.hpp"
#include "quality/agreement.hpp"
#include "records/evaluation.hpp"
#include "records/task.hpp"
#include "steps/s6_refine/evaluate.hpp"
#include "steps/s6_refine/held_out.hpp"

namespace understudy::s6 {

struct KeptAnswers {
  std::span<const HeldOutCall> calls;
  std::span<const Answer> answers;  // of the small model, empty where it gave none
  std::span<const quality::Judged> judged;
  double threshold = 0;
  [[nodiscard]] bool kept(std::size_t i) const {
    return judged[i].confidence > 0 && judged[i].confidence >= threshold && !answers[i].empty();
  }
};

TextSimilarity similarity_of(const KeptAnswers& answers);

// `options.judge` is set. Fails where it cannot be reached.
Result<JudgedQuality> judge_quality(const Task& task, const KeptAnswers& answers,
                                    const EvaluateOptions& options);

}  // namespace understudy::s6
