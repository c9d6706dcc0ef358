#include "console/bake_off.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <optional>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/metadata.hpp"
#include "console/content_access.hpp"
#include "console/tune_jobs.hpp"
#include "steps/s4_select/select.hpp"
#include "steps/s6_refine/evaluate.hpp"

namespace understudy::console {

namespace {

struct Contender {
  Candidate candidate;
  std::optional<Evaluation> evaluation = std::nullopt;
  std::string failure = {};

  // Certified share of the calibration calls.
  [[nodiscard]] double score() const {
    if (!evaluation) return -1;
    return evaluation->verdict == Verdict::convert ? evaluation->calibration.coverage() : 0;
  }
};

json::value to_tree(const Contender& contender) {
  json::object tree{{"candidate", contender.candidate.name},
                    {"kind", to_string(contender.candidate.kind)}};
  if (!contender.evaluation) {
    tree["failure"] = contender.failure;
    return tree;
  }
  tree["artifact"] = contender.evaluation->artifact.value;
  tree["verdict"] = to_string(contender.evaluation->verdict);
  tree["certified_share"] = contender.score();
  tree["reason"] = contender.evaluation->reason;
  return tree;
}

class BakeOff {
 public:
  BakeOff(const store::Home& home, const BakeOffRequest& request, TaskId task, std::size_t entries)
      : home_(home),
        task_(std::move(task)),
        options_{.alpha = request.alpha, .delta = request.delta / static_cast<double>(entries)} {}

  enum class Round { early, last };

  Status compete(Contender& contender, double minutes, Round round) {
    // The same examples make the same classifier, whatever time it is given; in the last round it
    // is made again all the same, so that the winner's artifact and evidence are the newest.
    if (contender.evaluation && contender.candidate.kind == CandidateKind::classifier &&
        round == Round::early)
      return {};
    contender.evaluation.reset();
    auto evaluation = train_and_prove(contender, minutes);
    if (evaluation) {
      contender.evaluation = std::move(*evaluation);
      return {};
    }
    if (evaluation.error().code == ErrorCode::cancelled) return fail(evaluation.error());
    contender.failure = evaluation.error().to_text();
    return {};
  }

 private:
  Result<Evaluation> train_and_prove(const Contender& contender, double minutes) {
    TuneRequest tuning;
    tuning.task = task_.value;
    tuning.candidate = contender.candidate.kind;
    tuning.minutes_max = minutes;
    if (contender.candidate.kind == CandidateKind::adapter)
      tuning.base.base = contender.candidate.name;
    const json::value made = TRY(console::tune(home_, tuning));
    options_.artifact = ArtifactId{json::string_or(made, "id")};
    return s6::evaluate(home_, task_, options_);
  }

  const store::Home& home_;
  TaskId task_;
  s6::EvaluateOptions options_;
};

}  // namespace

std::vector<std::size_t> survivors(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return scores[i]; });
  order.resize((scores.size() + 1) / 2);
  std::ranges::sort(order);
  return order;
}

Result<json::value> bake_off(const store::Home& home, const BakeOffRequest& request) {
  const auto metadata = TRY(store::Metadata::open(home));
  const Task task = TRY(metadata.find_task(request.task));
  std::vector<Contender> contenders;
  for (Candidate& candidate : TRY(s4::select(home, task.id, {})).candidates) {
    if (candidate.eligible) contenders.push_back({.candidate = std::move(candidate)});
  }
  if (contenders.empty()) {
    return fail(ErrorCode::not_found, "no candidate is eligible for task " + task.id.value,
                "`understudy select " + task.id.value + "` says why");
  }
  const auto access =
      TRY(ContentAccess::begin(home, crypto::Role::trainer, "bake-off", "task " + task.id.value));
  BakeOff match(home, request, task.id, contenders.size());
  json::array rounds;
  const auto halvings = static_cast<int>(std::bit_width(contenders.size() - 1));
  for (int left = halvings; left >= 0; --left) {
    const double minutes = request.minutes_max / static_cast<double>(1 << left);
    json::array shown;
    std::vector<double> scores;
    for (Contender& contender : contenders) {
      TRY(match.compete(contender, minutes,
                        left == 0 ? BakeOff::Round::last : BakeOff::Round::early));
      shown.push_back(to_tree(contender));
      scores.push_back(contender.score());
    }
    rounds.push_back(json::object{{"minutes", minutes}, {"contenders", std::move(shown)}});
    if (left == 0) break;
    std::vector<Contender> next;
    for (const std::size_t i : survivors(scores)) next.push_back(std::move(contenders[i]));
    contenders = std::move(next);
  }
  TRY(access.end());
  const Contender& winner = contenders.front();
  if (!winner.evaluation) return fail(ErrorCode::unavailable, winner.failure);
  return json::object{{"task", task.id.value},
                      {"rounds", std::move(rounds)},
                      {"winner", to_json(*winner.evaluation)}};
}

}  // namespace understudy::console
