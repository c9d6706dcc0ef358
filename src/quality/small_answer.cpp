#include "quality/small_answer.hpp"

#include <cstddef>
#include <utility>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "quality/agreement.hpp"
#include "quality/answer_confidence.hpp"
#include "quality/answer_grammar.hpp"
#include "quality/valid_answer.hpp"

namespace understudy::quality {

namespace {

constexpr std::int64_t us_per_s = 1'000'000;

// Answers that agree; the surest stands for them.
struct Party {
  std::size_t surest = 0;  // of the samples
  std::int64_t votes = 0;
  double confidence = 0;  // summed
};

bool agree(const Answer& left, const Answer& right, AnswerForm form, const AnswerShape& shape) {
  return (left.empty() && right.empty()) || agrees(left, right, form, shape);
}

std::vector<Party> parties_of(std::span<const Prediction> samples, AnswerForm form,
                              const AnswerShape& shape) {
  std::vector<Party> parties;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Party* mine = nullptr;
    for (Party& party : parties) {
      if (mine == nullptr && agree(samples[party.surest].answer, samples[i].answer, form, shape))
        mine = &party;
    }
    if (mine == nullptr) mine = &parties.emplace_back(Party{.surest = i});
    ++mine->votes;
    mine->confidence += samples[i].confidence;
    if (samples[i].confidence > samples[mine->surest].confidence) mine->surest = i;
  }
  return parties;
}

Prediction vote(std::vector<Prediction> samples, AnswerForm form, const AnswerShape& shape) {
  const std::vector<Party> parties = parties_of(samples, form, shape);
  const Party* winner = &parties.front();
  for (const Party& party : parties) {
    if (std::pair(party.votes, party.confidence) > std::pair(winner->votes, winner->confidence))
      winner = &party;
  }
  Prediction total = std::move(samples[winner->surest]);
  const double own = total.confidence;
  // Nobody should take what makes no sense, however often it is said.
  if (own > 0) {
    total.confidence =
        (static_cast<double>(winner->votes - 1) + own) / static_cast<double>(samples.size());
  }
  total.prompt_tokens = total.completion_tokens = total.latency_us = 0;
  return total;
}

}  // namespace

AnswerManner manner_of(const TaskPolicy& task) {
  return {.form = task.answer_form,
          .answer_set = task.answer_set,
          .confidence = task.confidence,
          .self_consistency = task.self_consistency};
}

Result<Prediction> small_answer(const Predict& predict, std::vector<std::string> slots,
                                const AnswerShape& shape, const AnswerManner& manner) {
  Question question{.slots = std::move(slots), .grammar = answer_grammar(manner.form, shape)};
  if (manner.form == AnswerForm::json) question.schema = shape.text;
  const AnswerRules rules{.form = manner.form, .answer_set = manner.answer_set, .shape = shape};
  const Stopwatch watch;
  std::vector<Prediction> samples;
  Prediction spent;
  for (std::int64_t i = 0; i < manner.self_consistency.samples; ++i) {
    if (i > 0 && watch.elapsed_us() > limits::slm_timeout_s * us_per_s)
      return fail(ErrorCode::timeout, "the samples of a small model's answer take too long");
    if (i > 0) {
      question.sampling = {.temperature = manner.self_consistency.temperature,
                           .seed = static_cast<std::uint32_t>(i)};
    }
    Prediction sample = TRY(predict(question));
    spent.prompt_tokens += sample.prompt_tokens;
    spent.completion_tokens += sample.completion_tokens;
    spent.latency_us += sample.latency_us;
    // Whoever takes the answer asks that, too: here it is a sign, for a confidence that knows
    // signs.
    const bool valid = manner.confidence && is_valid(sample.answer, rules);
    sample.confidence = answer_confidence(manner.confidence, sample, valid);
    samples.push_back(std::move(sample));
  }
  Prediction answer = samples.size() == 1 ? std::move(samples.front())
                                          : vote(std::move(samples), manner.form, shape);
  answer.prompt_tokens = spent.prompt_tokens;
  answer.completion_tokens = spent.completion_tokens;
  answer.latency_us = spent.latency_us;
  return answer;
}

}  // namespace understudy::quality
