#include "steps/s6_refine/evaluate.hpp"

#include <algorithm>
#include <atomic>
#include <format>
#include <mutex>
#include <utility>
#include <vector>

#include "adapters/lm/open_model.hpp"
#include "adapters/store/metadata.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/pool.hpp"
#include "base/progress.hpp"
#include "economics/price_table.hpp"
#include "quality/certificate.hpp"
#include "steps/s6_refine/baselines.hpp"
#include "steps/s6_refine/judge_quality.hpp"

namespace understudy::s6 {

namespace {

constexpr std::size_t latency_probe_calls = 30;

double median_ms(std::vector<std::int64_t> latencies_us) {
  if (latencies_us.empty()) return 0;
  const auto middle = latencies_us.begin() + static_cast<std::ptrdiff_t>(latencies_us.size() / 2);
  std::ranges::nth_element(latencies_us, middle);
  return static_cast<double>(*middle) / 1000;
}

// Asks the model, several calls at a time, as the gateway does.
class Judge {
 public:
  Judge(const lm::SmallModel& model, const Task& task, std::size_t calls)
      : model_(model), task_(task), progress_("evaluating", calls, "calls") {}

  // `answers`: where the model's answers go, one per call; null: nowhere.
  std::vector<quality::Judged> judge(std::span<const HeldOutCall> calls,
                                     std::vector<Answer>* answers = nullptr) {
    std::vector<quality::Judged> judged(calls.size());
    if (answers != nullptr) answers->resize(calls.size());
    pool_.for_each(calls.size(), [&](std::size_t i) {
      judged[i] = judge(calls[i], answers != nullptr ? &(*answers)[i] : nullptr);
      progress_.advance();
    });
    return judged;
  }

  // Set where predictions failed and none succeeded.
  [[nodiscard]] std::optional<Error> total_failure() const {
    const std::scoped_lock lock(mutex_);
    return answered_ == 0 ? first_error_ : std::nullopt;
  }

 private:
  // What cannot be predicted has confidence 0: the LLM would answer it.
  quality::Judged judge(const HeldOutCall& call, Answer* answer) {
    if (call.slots.empty()) return {};
    const auto prediction = model_.predict(call.slots);
    if (!prediction) {
      const std::scoped_lock lock(mutex_);
      if (!first_error_) first_error_ = prediction.error();
      return {};
    }
    ++answered_;
    const auto judged = judge_prediction(call, *prediction, task_);
    if (!judged) return {};
    if (answer != nullptr) *answer = prediction->answer;
    return *judged;
  }

  const lm::SmallModel& model_;
  const Task& task_;
  Progress progress_;
  std::atomic<std::int64_t> answered_{0};
  mutable std::mutex mutex_;
  std::optional<Error> first_error_;
  Pool pool_{limits::slm_parallel_slots};  // last: its threads use what stands above
};

// One call after the other, so that the figure is a latency and not a throughput.
double probe_latency_ms(const lm::SmallModel& model, const HeldOut& held_out) {
  std::vector<std::int64_t> latencies_us;
  for (const auto* calls : {&held_out.test, &held_out.calibration}) {
    for (const HeldOutCall& call : *calls) {
      if (call.slots.empty() || latencies_us.size() == latency_probe_calls) continue;
      const Stopwatch watch;
      if (model.predict(call.slots)) latencies_us.push_back(watch.elapsed_us());
    }
  }
  return median_ms(std::move(latencies_us));
}

double llm_latency_ms(const HeldOut& held_out) {
  std::vector<std::int64_t> latencies_us;
  for (const auto* calls : {&held_out.calibration, &held_out.test}) {
    for (const HeldOutCall& call : *calls) {
      if (call.llm_latency_us > 0) latencies_us.push_back(call.llm_latency_us);
    }
  }
  return median_ms(std::move(latencies_us));
}

Result<Artifact> find_artifact(const store::Metadata& metadata, const Task& task,
                               const std::optional<ArtifactId>& wanted) {
  const auto artifacts = TRY(metadata.artifacts(task.id));
  for (const Artifact& artifact : artifacts) {
    if (!wanted || artifact.id == *wanted) return artifact;
  }
  return fail(ErrorCode::not_found,
              wanted ? "task " + task.id.value + " has no model " + wanted->value
                     : "task " + task.id.value + " has no model yet",
              "train one: `understudy tune " + task.id.value + " --candidate " +
                  (task.answer_form == AnswerForm::label ? "classifier" : "nano") + "`");
}

Status check(const EvaluateOptions& options) {
  const auto inside = [](double value) { return value > 0 && value < 1; };
  if (inside(options.alpha) && inside(options.delta)) return {};
  return fail(ErrorCode::invalid_input, "alpha and delta lie between 0 and 1",
              "for example --alpha 0.05 --delta 0.1");
}

}  // namespace

Result<Evaluation> evaluate_model(const lm::SmallModel& model, const Task& task,
                                  const HeldOut& held_out, const EvaluateOptions& options) {
  Judge judge(model, task, held_out.calibration.size() + held_out.test.size());
  const auto calibration = judge.judge(held_out.calibration);
  std::vector<Answer> answers;
  const auto test = judge.judge(held_out.test, &answers);
  if (const auto failure = judge.total_failure()) return fail(*failure);

  const quality::Guarantee guarantee{.alpha = options.alpha, .delta = options.delta};
  const quality::Certificate certificate = quality::certify(calibration, guarantee);
  const quality::Decision decision = quality::decide(calibration, certificate, guarantee);
  Evaluation evaluation;
  evaluation.task = task.id;
  evaluation.made_at = now();
  evaluation.alpha = options.alpha;
  evaluation.delta = options.delta;
  evaluation.threshold = certificate.threshold;
  evaluation.calibration = quality::measure(calibration, certificate.threshold);
  evaluation.test = quality::measure(test, certificate.threshold);
  evaluation.verdict = decision.verdict;
  evaluation.calls_needed = decision.calls_needed;
  evaluation.reason = decision.reason;
  const KeptAnswers kept{.calls = held_out.test,
                         .answers = answers,
                         .judged = test,
                         .threshold = certificate.holds() ? certificate.threshold : 0};
  if (task.answer_form == AnswerForm::text) evaluation.similarity = similarity_of(kept);
  evaluation.cache = cache_baseline(held_out);
  evaluation.outcomes = compare_outcomes(held_out.test, test, evaluation);
  if (options.cheaper) evaluation.cheaper = TRY(cheaper_baseline(task, held_out, options));
  if (options.judge) evaluation.judged = TRY(judge_quality(task, kept, options));
  evaluation.slm_latency_ms_median = probe_latency_ms(model, held_out);
  evaluation.llm_latency_ms_median = llm_latency_ms(held_out);
  return evaluation;
}

Result<Evaluation> evaluate(const store::Home& home, const TaskId& task_id,
                            const EvaluateOptions& options) {
  TRY(check(options));
  auto metadata = TRY(store::Metadata::open(home));
  const Task task = TRY(metadata.find_task(task_id.value));
  const Artifact artifact = TRY(find_artifact(metadata, task, options.artifact));
  const HeldOut held_out =
      TRY(read_held_out(home, metadata, task, options.cheaper ? Requests::keep : Requests::leave));
  const auto prices = TRY(economics::PriceTable::load(home.directory() / "prices.toml"));
  const auto model = TRY(lm::open_model({.kind = artifact.kind,
                                         .artifact_dir = home.artifacts() / artifact.id.value,
                                         .parallel = limits::slm_parallel_slots}));
  Evaluation evaluation = TRY(evaluate_model(*model, task, held_out, options));
  evaluation.artifact = artifact.id;
  evaluation.prices = call_prices(held_out, evaluation, prices);
  weigh_baselines(evaluation);
  TRY(metadata.add_evaluation(evaluation));
  return evaluation;
}

}  // namespace understudy::s6
