#include "steps/s6_refine/bake_off.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "adapters/lm/open_model.hpp"
#include "adapters/store/metadata.hpp"
#include "base/limits.hpp"
#include "base/pool.hpp"

namespace understudy::s6 {

namespace {

constexpr std::size_t entrants_max = 8;
constexpr std::size_t first_round_calls_min = 32;

// Largest share of the calls, the surest first, of which at most alpha disagree.
double share_kept(std::vector<quality::Judged> judged, double alpha) {
  std::ranges::sort(judged, std::greater<>(), &quality::Judged::confidence);
  std::size_t kept = 0;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < judged.size() && judged[i].confidence > 0; ++i) {
    wrong += judged[i].agrees ? 0 : 1;
    if (static_cast<double>(wrong) <= alpha * static_cast<double>(i + 1)) kept = i + 1;
  }
  return judged.empty() ? 0 : static_cast<double>(kept) / static_cast<double>(judged.size());
}

class Rider {
 public:
  Rider(Contender contender, const Task& task)
      : entrant_(std::move(contender.entrant)), model_(*contender.model), task_(task) {}

  // Asks about the calls up to `end` that it was not asked yet.
  void ride(std::span<const HeldOutCall> calls, std::size_t end, double alpha) {
    const std::size_t begin = judged_.size();
    judged_.resize(end);
    std::vector<std::string> errors(end);
    Pool pool(limits::slm_parallel_slots);
    pool.for_each(end - begin, [&](std::size_t offset) {
      const std::size_t i = begin + offset;
      if (calls[i].slots.empty()) return;
      const auto prediction = model_.predict(calls[i].slots);
      if (!prediction) {
        errors[i] = prediction.error().message;
        return;
      }
      answered_ = true;
      if (const auto judged = judge_prediction(calls[i], *prediction, task_)) judged_[i] = *judged;
    });
    const auto error = std::ranges::find_if(errors, [](const auto& e) { return !e.empty(); });
    if (!answered_ && error != errors.end()) entrant_.error = *error;
    ++entrant_.rounds;
    entrant_.calls = static_cast<std::int64_t>(end);
    entrant_.agreed = std::ranges::count(judged_, true, &quality::Judged::agrees);
    entrant_.keeps = share_kept(judged_, alpha);
  }

  [[nodiscard]] const Entrant& entrant() const { return entrant_; }

 private:
  Entrant entrant_;
  const lm::SmallModel& model_;
  const Task& task_;
  std::vector<quality::Judged> judged_;
  std::atomic<bool> answered_ = false;
};

bool better(const std::unique_ptr<Rider>& a, const std::unique_ptr<Rider>& b) {
  const Entrant& x = a->entrant();
  const Entrant& y = b->entrant();
  if (x.error.empty() != y.error.empty()) return x.error.empty();
  if (x.keeps != y.keeps) return x.keeps > y.keeps;
  return x.agreed > y.agreed;
}

}  // namespace

std::vector<Entrant> halve(std::vector<Contender> contenders, const Task& task,
                           std::span<const HeldOutCall> calls, double alpha) {
  std::vector<std::unique_ptr<Rider>> riders;
  for (Contender& contender : contenders)
    riders.push_back(std::make_unique<Rider>(std::move(contender), task));
  std::size_t rounds = 1;
  while ((std::size_t{1} << rounds) < riders.size()) ++rounds;
  std::vector<Entrant> left;  // who left last stands last
  for (std::size_t round = 1;; ++round) {
    const std::size_t share = calls.size() >> (rounds - std::min(round, rounds));
    const std::size_t end = std::min(calls.size(), std::max(first_round_calls_min, share));
    for (const auto& rider : riders) rider->ride(calls, end, alpha);
    std::ranges::stable_sort(riders, better);
    const bool last = round >= rounds;
    const std::size_t stay = last ? 0 : (riders.size() + 1) / 2;
    for (std::size_t i = riders.size(); i-- > stay;) {
      left.push_back(riders[i]->entrant());
      riders.pop_back();
    }
    if (last) break;
  }
  std::ranges::reverse(left);
  return left;
}

Result<BakeOff> bake_off(const store::Home& home, const TaskId& task_id,
                         const EvaluateOptions& options) {
  const auto metadata = TRY(store::Metadata::open(home));
  const Task task = TRY(metadata.find_task(task_id.value));
  std::vector<Artifact> artifacts = TRY(metadata.artifacts(task.id));  // the newest first
  if (artifacts.empty()) {
    return fail(ErrorCode::not_found, "task " + task.id.value + " has no model yet",
                "train some: `understudy tune " + task.id.value + " --candidate KIND`");
  }
  if (artifacts.size() > entrants_max) artifacts.resize(entrants_max);
  const HeldOut held_out = TRY(read_held_out(home, metadata, task));
  std::vector<std::unique_ptr<lm::SmallModel>> models;
  std::vector<Contender> contenders;
  for (const Artifact& artifact : artifacts) {
    models.push_back(TRY(lm::open_model({.kind = artifact.kind,
                                         .artifact_dir = home.artifacts() / artifact.id.value,
                                         .parallel = limits::slm_parallel_slots})));
    contenders.push_back({.entrant = {.artifact = artifact.id, .kind = artifact.kind},
                          .model = models.back().get()});
  }
  BakeOff result{.entrants =
                     halve(std::move(contenders), task, held_out.calibration, options.alpha)};
  EvaluateOptions shared = options;
  shared.artifact = result.entrants.front().artifact;
  shared.delta = options.delta / static_cast<double>(artifacts.size());
  result.winner = TRY(evaluate(home, task.id, shared));
  return result;
}

json::value to_json(const BakeOff& bake_off) {
  json::array entrants;
  for (const Entrant& entrant : bake_off.entrants) {
    entrants.push_back(json::object{{"artifact", entrant.artifact.value},
                                    {"kind", to_string(entrant.kind)},
                                    {"rounds", entrant.rounds},
                                    {"calls", entrant.calls},
                                    {"agreed", entrant.agreed},
                                    {"keeps", entrant.keeps},
                                    {"error", entrant.error}});
  }
  return json::object{{"task", bake_off.winner.task.value},
                      {"entrants", std::move(entrants)},
                      {"winner", to_json(bake_off.winner)}};
}

}  // namespace understudy::s6
