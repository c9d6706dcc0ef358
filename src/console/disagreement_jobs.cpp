#include "console/disagreement_jobs.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/lm/open_model.hpp"
#include "adapters/store/metadata.hpp"
#include "base/limits.hpp"
#include "base/pool.hpp"
#include "console/content_access.hpp"
#include "steps/s6_refine/held_out.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t calls_asked_max = 300;  // of a nano model: some ten seconds
constexpr std::size_t curve_points = 60;
constexpr std::size_t disagreements_max = 40;
constexpr std::size_t confusions_max = 60;

struct Asked {
  const s6::HeldOutCall* call = nullptr;
  Answer student;
  double confidence = 0;
  bool agrees = false;
};

struct Subject {
  Task task;
  Evaluation evaluation;
  Artifact artifact;
  std::vector<s6::HeldOutCall> calls;  // spread evenly over the calibration split
};

// The newest evaluation, its model and its calls.
Result<Subject> find_subject(const store::Home& home, const std::string& id) {
  const auto metadata = TRY(store::Metadata::open(home));
  Subject subject{
      .task = TRY(metadata.find_task(id)), .evaluation = {}, .artifact = {}, .calls = {}};
  auto evaluations = TRY(metadata.evaluations(subject.task.id));
  if (evaluations.empty()) {
    return fail(ErrorCode::not_found, "no model of task " + subject.task.id.value + " was measured",
                "`understudy evaluate " + subject.task.id.value + "`");
  }
  subject.evaluation = std::move(evaluations.front());
  const auto artifacts = TRY(metadata.artifacts(subject.task.id));
  const auto found = std::ranges::find(artifacts, subject.evaluation.artifact, &Artifact::id);
  if (found == artifacts.end())
    return fail(ErrorCode::not_found, "the measured model is gone", "train and evaluate again");
  subject.artifact = *found;

  auto held_out = TRY(s6::read_held_out(home, metadata, subject.task));
  auto& all = held_out.calibration;
  const std::size_t step =
      std::max<std::size_t>(1, (all.size() + calls_asked_max - 1) / calls_asked_max);
  for (std::size_t i = 0; i < all.size(); i += step) subject.calls.push_back(std::move(all[i]));
  return subject;
}

std::vector<Asked> ask_all(const lm::SmallModel& model, const Subject& subject) {
  std::vector<Asked> asked(subject.calls.size());
  Pool pool(limits::slm_parallel_slots);
  const quality::AnswerManner manner{.form = subject.task.answer_form,
                                     .answer_set = subject.task.answer_set,
                                     .confidence = subject.artifact.confidence,
                                     .self_consistency = subject.evaluation.self_consistency};
  pool.for_each(asked.size(), [&](std::size_t i) {
    const s6::HeldOutCall& call = subject.calls[i];
    asked[i].call = &call;
    if (call.slots.empty()) return;
    auto prediction = s6::ask(model, call, manner);
    if (!prediction) return;
    const quality::Judged judged =
        s6::judge_prediction(call, *prediction, subject.task).value_or(quality::Judged{});
    asked[i].student = std::move(prediction->answer);
    asked[i].confidence = judged.confidence;
    asked[i].agrees = judged.agrees;
  });
  std::ranges::stable_sort(asked, std::greater<>(), &Asked::confidence);
  return asked;
}

// How many calls are kept, and how many of them agree, when the threshold falls call by call.
json::array curve_of(const std::vector<Asked>& asked) {
  json::array curve;
  const std::size_t step = asked.size() / curve_points + 1;
  std::size_t agreed = 0;
  for (std::size_t i = 0; i < asked.size() && asked[i].confidence > 0; ++i) {
    if (asked[i].agrees) ++agreed;
    if (i % step != 0 && i + 1 != asked.size()) continue;
    const auto kept = static_cast<double>(i + 1);
    curve.push_back(json::object{{"threshold", asked[i].confidence},
                                 {"coverage", kept / static_cast<double>(asked.size())},
                                 {"agreement", static_cast<double>(agreed) / kept}});
  }
  return curve;
}

json::array confusion_of(const std::vector<Asked>& asked, const Task& task) {
  std::map<std::pair<std::string, std::string>, std::int64_t> counts;
  if (task.answer_form == AnswerForm::label) {
    for (const Asked& one : asked)
      if (one.confidence > 0)
        ++counts[{to_canonical(one.call->teacher, task.answer_form),
                  to_canonical(one.student, task.answer_form)}];
  }
  std::vector<std::pair<std::pair<std::string, std::string>, std::int64_t>> sorted(counts.begin(),
                                                                                   counts.end());
  std::ranges::stable_sort(sorted, std::greater<>(),
                           [](const auto& entry) { return entry.second; });
  json::array confusion;
  for (const auto& [answers, calls] : sorted) {
    if (confusion.size() == confusions_max) break;
    confusion.push_back(
        json::object{{"teacher", answers.first}, {"student", answers.second}, {"calls", calls}});
  }
  return confusion;
}

json::array disagreements_of(const std::vector<Asked>& asked, double threshold) {
  json::array out;
  for (const Asked& one : asked) {
    if (one.agrees || one.confidence <= 0) continue;
    if (out.size() == disagreements_max) break;
    json::array slots;
    for (const std::string& slot : one.call->slots) slots.emplace_back(slot);
    out.push_back(json::object{{"slots", std::move(slots)},
                               {"teacher", to_target(one.call->teacher)},
                               {"student", to_target(one.student)},
                               {"confidence", one.confidence},
                               {"kept", one.confidence >= threshold}});
  }
  return out;
}

}  // namespace

Result<json::value> show_disagreements(const store::Home& home, const std::string& task) {
  const auto access =
      TRY(ContentAccess::begin(home, crypto::Role::trainer, "disagreements", "task " + task));
  const Subject subject = TRY(find_subject(home, task));
  const auto model =
      TRY(lm::open_model({.kind = subject.artifact.kind,
                          .artifact_dir = home.artifacts() / subject.artifact.id.value,
                          .parallel = limits::slm_parallel_slots,
                          .endpoint = subject.evaluation.endpoint}));
  const std::vector<Asked> asked = ask_all(*model, subject);
  const double threshold = subject.evaluation.threshold;
  std::int64_t kept = 0;
  std::int64_t agreed = 0;
  for (const Asked& one : asked) {
    if (one.confidence < threshold || one.confidence <= 0) continue;
    ++kept;
    agreed += one.agrees ? 1 : 0;
  }
  TRY(access.end(asked.size()));
  return json::object{{"artifact", subject.artifact.id.value},
                      {"threshold", threshold},
                      {"calls", asked.size()},
                      {"kept", kept},
                      {"agreed", agreed},
                      {"curve", curve_of(asked)},
                      {"confusion", confusion_of(asked, subject.task)},
                      {"disagreements", disagreements_of(asked, threshold)}};
}

}  // namespace understudy::console
