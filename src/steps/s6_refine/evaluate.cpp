#include "steps/s6_refine/evaluate.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <format>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "adapters/lm/open_model.hpp"
#include "adapters/store/metadata.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/pool.hpp"
#include "base/progress.hpp"
#include "quality/certificate.hpp"
#include "quality/pooled_certificate.hpp"
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

quality::AnswerManner manner_of(const Task& task, const EvaluateOptions& options) {
  return {.form = task.answer_form,
          .answer_set = task.answer_set,
          .confidence = options.confidence,
          .self_consistency = options.self_consistency};
}

// Asks the model, several calls at a time, as the gateway does.
class Judge {
 public:
  Judge(const lm::SmallModel& model, const Task& task, const EvaluateOptions& options,
        std::size_t calls)
      : model_(model),
        task_(task),
        manner_(manner_of(task, options)),
        progress_("evaluating", calls, "calls") {}

  // `predictions`: where the model's valid answers go, one per call; the others' places stay empty.
  std::vector<quality::Judged> judge(std::span<const HeldOutCall> calls,
                                     std::vector<lm::Prediction>& predictions) {
    std::vector<quality::Judged> judged(calls.size());
    predictions.resize(calls.size());
    pool_.for_each(calls.size(), [&](std::size_t i) {
      judged[i] = judge(calls[i], predictions[i]);
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
  quality::Judged judge(const HeldOutCall& call, lm::Prediction& into) {
    if (call.slots.empty()) return {};
    auto prediction = ask(model_, call, manner_);
    if (!prediction) {
      const std::scoped_lock lock(mutex_);
      if (!first_error_) first_error_ = prediction.error();
      return {};
    }
    ++answered_;
    const auto judged = judge_prediction(call, *prediction, task_);
    if (!judged) return {};
    into = std::move(*prediction);
    return *judged;
  }

  const lm::SmallModel& model_;
  const Task& task_;
  quality::AnswerManner manner_;
  Progress progress_;
  std::atomic<std::int64_t> answered_{0};
  mutable std::mutex mutex_;
  std::optional<Error> first_error_;
  Pool pool_{limits::slm_parallel_slots};  // last: its threads use what stands above
};

// One call after the other, so that the figure is a latency and not a throughput.
double probe_latency_ms(const lm::SmallModel& model, const Task& task, const HeldOut& held_out,
                        const EvaluateOptions& options) {
  const quality::AnswerManner manner = manner_of(task, options);
  std::vector<std::int64_t> latencies_us;
  for (const auto* calls : {&held_out.test, &held_out.calibration}) {
    for (const HeldOutCall& call : *calls) {
      if (call.slots.empty() || latencies_us.size() == latency_probe_calls) continue;
      const Stopwatch watch;
      if (ask(model, call, manner)) latencies_us.push_back(watch.elapsed_us());
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
  if (options.endpoint) TRY(check(*options.endpoint));
  if (inside(options.alpha) && inside(options.delta)) return check(options.self_consistency);
  return fail(ErrorCode::invalid_input, "alpha and delta lie between 0 and 1",
              "for example --alpha 0.05 --delta 0.1");
}

// What a model answered on both splits.
struct Trial {
  std::vector<quality::Judged> calibration;
  std::vector<quality::Judged> plain;  // the calibration calls, by their least sure token
  std::vector<quality::Judged> test;
  std::vector<Answer> answers;  // on the test calls
};

Result<Trial> try_model(const lm::SmallModel& model, const Task& task, const HeldOut& held_out,
                        const EvaluateOptions& options) {
  Judge judge(model, task, options, held_out.calibration.size() + held_out.test.size());
  Trial trial;
  std::vector<lm::Prediction> predictions;
  trial.calibration = judge.judge(held_out.calibration, predictions);
  trial.plain = trial.calibration;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (predictions[i].signs)
      trial.plain[i].confidence =
          std::exp(std::min(predictions[i].signs->log_probability_min, 0.0));
  }
  predictions.clear();
  trial.test = judge.judge(held_out.test, predictions);
  for (lm::Prediction& prediction : predictions)
    trial.answers.push_back(std::move(prediction.answer));
  if (const auto failure = judge.total_failure()) return fail(*failure);
  return trial;
}

// Of the task's calls, repeats counted, those that the model would keep.
double share_kept(const HeldOut& held_out, const Trial& trial, double threshold) {
  std::int64_t calls = 0;
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < trial.test.size(); ++i) {
    calls += held_out.test[i].repeats;
    if (trial.test[i].confidence >= threshold) kept += held_out.test[i].repeats;
  }
  return calls == 0 ? 0 : static_cast<double>(kept) / static_cast<double>(calls);
}

// What follows from a threshold and a decision, wherever they come from.
Evaluation describe(const Task& task, const HeldOut& held_out, const Trial& trial, double threshold,
                    const quality::Decision& decision, const EvaluateOptions& options) {
  Evaluation evaluation;
  evaluation.task = task.id;
  evaluation.made_at = now();
  evaluation.alpha = options.alpha;
  evaluation.delta = options.delta;
  evaluation.threshold = threshold;
  evaluation.self_consistency = options.self_consistency;
  evaluation.endpoint = options.endpoint;
  if (options.confidence && options.self_consistency.samples == 1) {
    const auto plain =
        quality::certify(trial.plain, {.alpha = options.alpha, .delta = options.delta});
    evaluation.plain_coverage = quality::measure(trial.plain, plain.threshold).coverage();
  }
  evaluation.calibration = quality::measure(trial.calibration, threshold);
  evaluation.test = quality::measure(trial.test, threshold);
  evaluation.verdict = decision.verdict;
  evaluation.calls_needed = decision.calls_needed;
  evaluation.reason = decision.reason;
  evaluation.cache = held_out.cache;
  evaluation.cache.share_of_model = share_kept(held_out, trial, threshold);
  const std::string beaten = beaten_by_cache(evaluation.cache, options.alpha);
  if (evaluation.verdict == Verdict::convert && !beaten.empty()) {
    evaluation.verdict = Verdict::keep_llm;
    evaluation.reason = beaten;
  }
  evaluation.llm_latency_ms_median = llm_latency_ms(held_out);
  return evaluation;
}

// The columns beside the agreement. Where nothing is proven they are about all of the answers.
Status add_columns(Evaluation& evaluation, const Task& task, const HeldOut& held_out,
                   const Trial& trial, const economics::PriceTable& prices,
                   const EvaluateOptions& options) {
  const KeptAnswers kept{.calls = held_out.test,
                         .answers = trial.answers,
                         .judged = trial.test,
                         .threshold = evaluation.threshold <= 1 ? evaluation.threshold : 0};
  if (task.answer_form == AnswerForm::text) evaluation.similarity = similarity_of(kept);
  evaluation.outcomes = outcome_test(kept, options);
  if (options.judge) evaluation.judged = TRY(judge_quality(task, kept, options));
  if (options.cheaper) evaluation.cheaper = TRY(ask_cheaper(task, kept, prices, options));
  return {};
}

// A task with its newest model and its calls.
struct Subject {
  Task task;
  Artifact artifact;
  HeldOut held_out;
};

Result<Subject> find_subject(const store::Home& home, const store::Metadata& metadata,
                             const TaskId& id, const EvaluateOptions& options) {
  Subject subject{.task = TRY(metadata.find_task(id.value)), .artifact = {}, .held_out = {}};
  subject.artifact = TRY(find_artifact(metadata, subject.task, options.artifact));
  subject.held_out = TRY(read_held_out(home, metadata, subject.task,
                                       options.cheaper ? Requests::keep : Requests::drop));
  return subject;
}

Result<std::unique_ptr<lm::SmallModel>> open(const store::Home& home, const Artifact& artifact,
                                             const EvaluateOptions& options) {
  return lm::open_model({.kind = artifact.kind,
                         .artifact_dir = home.artifacts() / artifact.id.value,
                         .parallel = limits::slm_parallel_slots,
                         .endpoint = options.endpoint});
}

// As this artifact is asked.
Result<EvaluateOptions> options_for(const Artifact& artifact, const EvaluateOptions& options) {
  if (artifact.kind == CandidateKind::classifier && options.self_consistency.samples > 1) {
    return fail(ErrorCode::invalid_input,
                "a classifier always gives the same answer: its samples cannot vote",
                "leave --samples out, or tune another candidate");
  }
  EvaluateOptions own = options;
  own.confidence = artifact.confidence;
  own.beside = quality::bins_in(artifact.metrics_json);
  return own;
}

Result<economics::PriceTable> prices_of(const store::Home& home) {
  return economics::PriceTable::load(home.directory() / "prices.toml");
}

quality::Decision decision_of(const quality::PooledCertificate& pooled,
                              const quality::PooledCertificate::Part& part, std::size_t tasks) {
  quality::Decision decision = pooled.decision;
  decision.reason = std::format("{} tasks together: {}", tasks, decision.reason);
  if (decision.verdict != Verdict::convert) return decision;
  if (part.kept == 0) {
    return {.verdict = Verdict::keep_llm,
            .reason = "the pool is proven, but keeps none of this task's calls"};
  }
  if (part.hides) {
    return {.verdict = Verdict::keep_llm,
            .reason = std::format(
                "the pool is proven, but this task's model disagrees on {} of its {} kept calls: "
                "it only hides behind the others",
                part.disagreements, part.kept)};
  }
  return decision;
}

Status check_pool(std::span<const TaskId> tasks) {
  std::set<std::string> names;
  for (const TaskId& task : tasks) names.insert(task.value);
  if (tasks.size() >= 2 && names.size() == tasks.size()) return {};
  return fail(ErrorCode::invalid_input, "a pool has at least two different tasks",
              "name each once: `understudy evaluate TASK --pool-with TASK`");
}

}  // namespace

Result<Evaluation> evaluate_model(const lm::SmallModel& model, const Task& task,
                                  const HeldOut& held_out, const EvaluateOptions& options) {
  return evaluate_model(model, task, held_out, economics::PriceTable::built_in(), options);
}

Result<Evaluation> evaluate_model(const lm::SmallModel& model, const Task& task,
                                  const HeldOut& held_out, const economics::PriceTable& prices,
                                  const EvaluateOptions& options) {
  const Trial trial = TRY(try_model(model, task, held_out, options));
  const quality::Guarantee guarantee{.alpha = options.alpha, .delta = options.delta};
  const quality::Certificate certificate =
      quality::certify(trial.calibration, guarantee, options.beside);
  Evaluation evaluation =
      describe(task, held_out, trial, certificate.threshold,
               quality::decide(trial.calibration, certificate, guarantee), options);
  TRY(add_columns(evaluation, task, held_out, trial, prices, options));
  evaluation.slm_latency_ms_median = probe_latency_ms(model, task, held_out, options);
  return evaluation;
}

Result<Evaluation> evaluate(const store::Home& home, const TaskId& task_id,
                            const EvaluateOptions& options) {
  TRY(check(options));
  auto metadata = TRY(store::Metadata::open(home));
  const Subject subject = TRY(find_subject(home, metadata, task_id, options));
  const EvaluateOptions own = TRY(options_for(subject.artifact, options));
  const auto model = TRY(open(home, subject.artifact, own));
  Evaluation evaluation =
      TRY(evaluate_model(*model, subject.task, subject.held_out, TRY(prices_of(home)), own));
  evaluation.artifact = subject.artifact.id;
  TRY(metadata.add_evaluation(evaluation));
  return evaluation;
}

Result<std::vector<Evaluation>> evaluate_pool(const store::Home& home,
                                              std::span<const TaskId> tasks,
                                              const EvaluateOptions& options) {
  TRY(check(options));
  TRY(check_pool(tasks));
  auto metadata = TRY(store::Metadata::open(home));
  const economics::PriceTable prices = TRY(prices_of(home));
  std::vector<Subject> subjects;
  std::vector<EvaluateOptions> own;  // of each task's artifact
  std::vector<Trial> trials;
  std::vector<std::vector<quality::Judged>> calibration;
  std::vector<double> latencies_ms;
  for (const TaskId& task : tasks) {
    subjects.push_back(TRY(find_subject(home, metadata, task, options)));
    const Subject& subject = subjects.back();
    own.push_back(TRY(options_for(subject.artifact, options)));
    const auto model = TRY(open(home, subject.artifact, own.back()));  // one at a time: memory
    trials.push_back(TRY(try_model(*model, subject.task, subject.held_out, own.back())));
    calibration.push_back(trials.back().calibration);
    latencies_ms.push_back(probe_latency_ms(*model, subject.task, subject.held_out, own.back()));
  }
  const auto pooled =
      quality::certify_pool(calibration, {.alpha = options.alpha, .delta = options.delta});
  std::vector<Evaluation> evaluations;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Subject& subject = subjects[i];
    const auto& part = pooled.tasks[i];
    Evaluation evaluation = describe(subject.task, subject.held_out, trials[i], part.threshold,
                                     decision_of(pooled, part, tasks.size()), own[i]);
    // The plain confidence's share would be that of a pool of its own.
    evaluation.plain_coverage.reset();
    TRY(add_columns(evaluation, subject.task, subject.held_out, trials[i], prices, own[i]));
    evaluation.artifact = subject.artifact.id;
    evaluation.slm_latency_ms_median = latencies_ms[i];
    evaluation.pool.assign(tasks.begin(), tasks.end());
    TRY(metadata.add_evaluation(evaluation));
    evaluations.push_back(std::move(evaluation));
  }
  return evaluations;
}

}  // namespace understudy::s6
