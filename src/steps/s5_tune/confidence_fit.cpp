#include "steps/s5_tune/confidence_fit.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

#include "adapters/text/logistic.hpp"
#include "adapters/wire/chat.hpp"
#include "base/limits.hpp"
#include "base/pool.hpp"
#include "base/progress.hpp"
#include "quality/agreement.hpp"
#include "quality/answer_confidence.hpp"
#include "quality/isotonic.hpp"
#include "quality/small_answer.hpp"
#include "quality/valid_answer.hpp"
#include "records/task_splits.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t answers_min = 40;
constexpr std::int64_t of_each_kind_min = 5;
constexpr std::size_t folds = 5;
constexpr double cost = 0.5;  // liblinear's C, for features of one scale

std::vector<double> weights_of(std::span<const SignedAnswer> answers) {
  std::vector<std::vector<double>> rows;
  std::vector<bool> labels;
  for (const SignedAnswer& answer : answers) {
    rows.push_back(quality::features_of(answer.signs, answer.valid));
    labels.push_back(answer.agrees);
  }
  return text::fit_logistic(rows, labels, cost);
}

bool has_both_kinds(std::span<const SignedAnswer> answers) {
  const auto agreed = std::ranges::count_if(answers, &SignedAnswer::agrees);
  return agreed > 0 && agreed < std::ranges::ssize(answers);
}

// Of each answer by a line that was fitted without it. Empty where a part has one kind only.
std::vector<double> scores_by_others(std::span<const SignedAnswer> answers) {
  std::vector<double> scores(answers.size());
  for (std::size_t fold = 0; fold < folds; ++fold) {
    std::vector<SignedAnswer> others;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (i % folds != fold) others.push_back(answers[i]);
    }
    if (!has_both_kinds(others)) return {};
    const ConfidenceModel line{.weights = weights_of(others), .curve = {}};
    for (std::size_t i = fold; i < answers.size(); i += folds)
      scores[i] = quality::score_of(line, answers[i].signs, answers[i].valid);
  }
  return scores;
}

// The area under the risk-coverage curve: mean share of disagreements among the surest 1, 2, ... of
// the answers; less is better (Geifman and El-Yaniv, arXiv 1705.08500). Equal scores share their
// mean.
double mean_risk(std::span<const SignedAnswer> answers, std::span<const double> scores) {
  std::vector<std::pair<double, double>> sorted;  // score, disagreements
  for (std::size_t i = 0; i < answers.size(); ++i)
    sorted.emplace_back(scores[i], answers[i].agrees ? 0 : 1);
  std::ranges::sort(sorted, std::greater<>(), [](const auto& one) { return one.first; });
  double area = 0;
  double wrong = 0;
  for (std::size_t begin = 0; begin < sorted.size();) {
    std::size_t end = begin;
    double in_tie = 0;
    while (end < sorted.size() && sorted[end].first == sorted[begin].first)
      in_tie += sorted[end++].second;
    const double each = in_tie / static_cast<double>(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      wrong += each;
      area += wrong / static_cast<double>(i + 1);
    }
    begin = end;
  }
  return area / static_cast<double>(sorted.size());
}

std::optional<FittingCall> read(const Example& example, const Task& task) {
  const auto request = json::parse(example.request.reveal());
  const auto response = json::parse(example.response.reveal());
  if (!request || !response) return std::nullopt;
  auto slots = task.prompt_template.match(wire::prompt_text(*request));
  auto teacher = wire::parse_answer(*response);
  if (!slots || !teacher || teacher->empty()) return std::nullopt;
  return FittingCall{.slots = std::move(*slots),
                     .teacher = std::move(*teacher),
                     .shape = quality::answer_shape(*request)};
}

}  // namespace

std::vector<FittingCall> fitting_calls(std::span<const Example> examples, const Task& task,
                                       const std::unordered_set<CallId>& members) {
  const TaskSplits splits(examples, members);
  std::vector<FittingCall> calls;
  for (const Example& example : examples) {
    if (!members.contains(example.call) || !splits.fits_confidence(example)) continue;
    if (auto call = read(example, task)) calls.push_back(std::move(*call));
  }
  return calls;
}

std::optional<ConfidenceModel> fit_confidence(std::span<const SignedAnswer> answers) {
  const auto disagreements =
      std::ranges::ssize(answers) - std::ranges::count_if(answers, &SignedAnswer::agrees);
  if (answers.size() < answers_min || disagreements < of_each_kind_min ||
      std::ranges::ssize(answers) - disagreements < of_each_kind_min)
    return std::nullopt;
  const std::vector<double> scores = scores_by_others(answers);
  if (scores.empty()) return std::nullopt;
  std::vector<double> plain;
  for (const SignedAnswer& answer : answers) plain.push_back(answer.plain);
  if (mean_risk(answers, scores) >= mean_risk(answers, plain)) return std::nullopt;
  std::vector<quality::Point> points;
  for (std::size_t i = 0; i < answers.size(); ++i)
    points.push_back({.score = scores[i], .value = answers[i].agrees ? 1.0 : 0.0});
  return ConfidenceModel{.weights = weights_of(answers),
                         .curve = quality::isotonic_curve(points),
                         .calls = std::ranges::ssize(answers),
                         .disagreements = disagreements};
}

std::optional<ConfidenceModel> learn_confidence(const lm::SmallModel& model, const Task& task,
                                                std::span<const FittingCall> calls) {
  const std::optional<ConfidenceModel> none;
  const quality::AnswerManner manner{
      .form = task.answer_form, .answer_set = task.answer_set, .confidence = none};
  std::vector<std::optional<SignedAnswer>> asked(calls.size());
  Progress progress("learning how sure it may be", calls.size(), "calls");
  Pool pool(limits::slm_parallel_slots);
  pool.for_each(calls.size(), [&](std::size_t i) {
    const FittingCall& call = calls[i];
    const auto said = quality::small_answer(
        [&model](const Question& question) { return model.predict(question); }, call.slots,
        call.shape, manner);
    progress.advance();
    if (!said || !said->signs) return;
    asked[i] = {
        .signs = *said->signs,
        .plain = said->confidence,
        .valid = quality::is_valid(
            said->answer,
            {.form = task.answer_form, .answer_set = task.answer_set, .shape = call.shape}),
        .agrees = quality::agrees(call.teacher, said->answer, task.answer_form, call.shape)};
  });
  std::vector<SignedAnswer> answers;
  for (const auto& one : asked) {
    if (one) answers.push_back(*one);
  }
  return fit_confidence(answers);
}

}  // namespace understudy::s5
