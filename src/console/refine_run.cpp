#include "console/refine_run.hpp"

#include <algorithm>
#include <utility>

#include "adapters/store/dataset.hpp"
#include "adapters/store/policy_store.hpp"
#include "base/clock.hpp"
#include "console/content_access.hpp"
#include "console/jobs.hpp"
#include "console/tune_jobs.hpp"
#include "steps/s4_select/model_library.hpp"
#include "steps/s4_select/select.hpp"
#include "steps/s6_refine/evaluate.hpp"
#include "steps/s6_refine/promote.hpp"

namespace understudy::console {

namespace {

// What has to be put right outside before the stage can be done; anything else is the outcome.
bool leaves_open(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::exhausted ||
         code == ErrorCode::denied || code == ErrorCode::corrupt || code == ErrorCode::cancelled;
}

constexpr char base_mark = ':';

// As the task's newest adapter on this base was trained; else the trainer's own defaults.
Result<s5::BaseOptions> base_for(const store::Home& home, const Refinement& refinement,
                                 const std::string& base) {
  const auto metadata = TRY(store::Metadata::open(home));
  for (const Artifact& artifact : TRY(metadata.artifacts(refinement.task))) {
    auto options = s5::base_options_of(artifact.config_json);
    if (options && options->base == base) return std::move(*options);
  }
  return s5::BaseOptions{.base = base};
}

Result<std::optional<Evaluation>> newest_evaluation(const store::Home& home, const TaskId& task,
                                                    const ArtifactId& artifact, UnixMicros since) {
  const auto metadata = TRY(store::Metadata::open(home));
  for (Evaluation& evaluation : TRY(metadata.evaluations(task))) {
    if (evaluation.artifact == artifact && evaluation.made_at >= since)
      return std::optional(std::move(evaluation));
  }
  return std::optional<Evaluation>();
}

}  // namespace

Result<std::vector<std::string>> eligible_candidates(const store::Home& home, const TaskId& task) {
  std::vector<std::string> kinds;
  for (const Candidate& candidate : TRY(s4::select(home, task, {})).candidates) {
    std::string kind(to_string(candidate.kind));
    if (candidate.kind == CandidateKind::adapter && candidate.eligible)
      kind += base_mark + TRY(s4::find_model(home, candidate.name)).file.path.string();
    if (candidate.eligible && std::ranges::find(kinds, kind) == kinds.end())
      kinds.push_back(std::move(kind));
  }
  return kinds;
}

std::string candidate_of(const Artifact& artifact) {
  std::string kind(to_string(artifact.kind));
  if (const auto base = s5::base_options_of(artifact.config_json))
    kind += base_mark + base->base.string();
  return kind;
}

Status RefineRun::keep(Refinement& refinement, RefineStage stage) {
  refinement.stage = stage;
  refinement.changed_at = now();
  auto metadata = TRY(store::Metadata::open(home_));
  return metadata.put_refinement(refinement);
}

Status RefineRun::finish(Refinement& refinement) {
  while (refinement.stage != RefineStage::done) {
    Status done;
    switch (refinement.stage) {
      case RefineStage::begun: done = curate(refinement); break;
      case RefineStage::curated: done = assign(refinement); break;
      case RefineStage::assigned: done = tune(refinement); break;
      case RefineStage::tuned: done = measure(refinement); break;
      case RefineStage::measured: done = decide(refinement); break;
      case RefineStage::done: break;
    }
    if (done) continue;
    if (leaves_open(done.error().code))
      return fail(done.error().within("refine " + refinement.task.value));
    refinement.outcome = "failed";
    refinement.reason = done.error().to_text();
    TRY(keep(refinement, RefineStage::done));
  }
  return {};
}

Status RefineRun::curate(Refinement& refinement) {
  if (refinement.branch == "S2" && !curated_already_) TRY(console::curate(home_, std::nullopt));
  refinement.dataset = TRY(store::current_dataset(home_));
  return keep(refinement, RefineStage::curated);
}

Status RefineRun::assign(Refinement& refinement) {
  const auto metadata = TRY(store::Metadata::open(home_));
  if (TRY(metadata.clustered_dataset()) != refinement.dataset) TRY(assign_new_calls(home_));
  return keep(refinement, RefineStage::assigned);
}

Status RefineRun::tune(Refinement& refinement) {
  TuneRequest request;
  request.task = refinement.task.value;
  const std::size_t mark = refinement.candidate.find(base_mark);
  request.candidate = TRY(parse_candidate_kind(refinement.candidate.substr(0, mark)));
  if (mark != std::string::npos)
    request.base = TRY(base_for(home_, refinement, refinement.candidate.substr(mark + 1)));
  request.minutes_max = request_.minutes_max;
  const json::value made = TRY(console::tune(home_, request));
  refinement.challenger = {json::string_or(made, "id")};
  return keep(refinement, RefineStage::tuned);
}

// Both on the same calls, the champion first: the newest evidence is the challenger's.
Status RefineRun::measure(Refinement& refinement) {
  const auto access = TRY(ContentAccess::begin(home_, crypto::Role::trainer, "refine",
                                               "task " + refinement.task.value));
  s6::EvaluateOptions options{.alpha = request_.alpha, .delta = request_.delta};
  const RoutingPolicy policy = TRY(store::load_current_policy(home_));
  const TaskPolicy* live = find_live(policy, refinement.task);
  if (live != nullptr && live->artifact == refinement.champion)
    options.self_consistency = live->self_consistency;
  if (!refinement.champion.empty() && refinement.champion != refinement.challenger) {
    options.artifact = refinement.champion;
    if (live != nullptr && live->artifact == refinement.champion) options.endpoint = live->endpoint;
    // One that cannot be opened any more has lost.
    (void)s6::evaluate(home_, refinement.task, options);
  }
  options.artifact = refinement.challenger;
  options.endpoint.reset();  // another server knows nothing of an adapter that was made just now
  // As the champion is asked; a classifier always says the same.
  if (refinement.candidate == to_string(CandidateKind::classifier)) options.self_consistency = {};
  TRY(s6::evaluate(home_, refinement.task, options));
  TRY(access.end());
  return keep(refinement, RefineStage::measured);
}

Status RefineRun::decide(Refinement& refinement) {
  const RoutingPolicy policy = TRY(store::load_current_policy(home_));
  const TaskPolicy* live = find_live(policy, refinement.task);
  if (live && live->artifact == refinement.challenger &&
      live->decided_at >= refinement.begun_at) {  // it was killed right behind the promotion
    refinement.outcome = "promoted";
    if (refinement.reason.empty()) refinement.reason = "it had won before it was cut off";
    return keep(refinement, RefineStage::done);
  }
  const auto challenger =
      TRY(newest_evaluation(home_, refinement.task, refinement.challenger, refinement.begun_at));
  if (!challenger) return fail(ErrorCode::not_found, "the challenger's evaluation is gone");
  // The same content as the champion: there is nothing to choose between.
  const bool same = refinement.champion == refinement.challenger;
  const auto champion = refinement.champion.empty() || same
                            ? std::optional<Evaluation>()
                            : TRY(newest_evaluation(home_, refinement.task, refinement.champion,
                                                    refinement.begun_at));
  const s6::Contest contest = s6::judge(*challenger, champion, request_.rules);
  refinement.reason = contest.reason;
  RouteMode mode = TRY(parse_route_mode(request_.new_mode));
  // A model that was in shadow leaves its place to the better one, too.
  if (live && (live->mode > RouteMode::shadow || mode == RouteMode::off)) mode = live->mode;
  const bool disproved = champion && champion->verdict == Verdict::keep_llm;
  if (!contest.challenger_wins && disproved && live && live->mode > RouteMode::shadow) {
    TRY(s6::rollback(home_, refinement.task));
    refinement.outcome = "rolled_back";
    refinement.reason =
        "the champion is not proven any more (" + champion->reason + "), and " + contest.reason;
  } else if (!contest.challenger_wins) {
    refinement.outcome = refinement.champion.empty() ? "kept_llm" : "kept_champion";
  } else if (mode == RouteMode::off) {
    refinement.outcome = "proven";
  } else {
    TRY(s6::promote(home_, refinement.task,
                    {.mode = mode,
                     .canary_share = live ? live->canary_share : s6::PromoteOptions{}.canary_share,
                     .audit_share = live ? live->audit_share : s6::PromoteOptions{}.audit_share,
                     .artifact = refinement.challenger}));
    refinement.outcome = "promoted";
  }
  return keep(refinement, RefineStage::done);
}

}  // namespace understudy::console
