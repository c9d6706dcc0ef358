#include "console/refine_jobs.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "adapters/store/watch_store.hpp"
#include "base/clock.hpp"
#include "base/file_lock.hpp"
#include "base/log.hpp"
#include "console/content_access.hpp"
#include "console/refine_run.hpp"

namespace understudy::console {

namespace {

// What a tune that was killed left behind; only whole artifacts have a name without this.
void sweep_workshops(const store::Home& home) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(home.artifacts(), error)) {
    if (entry.path().filename().string().starts_with(".new-"))
      std::filesystem::remove_all(entry.path(), error);
  }
}

// Calls that have come since a model's data set was made. Those that the gateway routed name their
// task; of the others only the number is known, and the task's share of it is assumed.
class NewCalls {
 public:
  static Result<NewCalls> read(const store::Home& home, const std::vector<Task>& tasks) {
    const auto key = TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
    NewCalls calls(home);
    for (const Task& task : tasks) calls.share_[task.id] = task.statistics.share_of_calls;
    TRY(store::read_call_log(
        home, key,
        [&calls](const Call& call) -> Status {
          ++calls.total_;
          if (call.route.task.empty()) return {};
          calls.routed_.push_back(
              {.task = {call.route.task},
               .at = call.started_at,
               .by_llm = call.route.server == Server::llm && call.status == CallStatus::ok});
          return {};
        },
        {.open_content = false}));
    return calls;
  }

  // Since the data set was made, as a model or a turn uses it from `at` on. That the LLM answered:
  // a model must not teach itself.
  [[nodiscard]] std::int64_t since(const TaskId& task, const DatasetId& dataset,
                                   UnixMicros at) const {
    const auto manifest = store::read_manifest(home_, dataset);
    const std::int64_t known =
        manifest ? json::find_integer(*manifest, "calls_read").value_or(0) : 0;
    std::int64_t routed = 0;
    std::int64_t of_task = 0;
    for (const Routed& call : routed_) {
      if (call.at <= at) continue;
      ++routed;
      of_task += call.task == task && call.by_llm ? 1 : 0;
    }
    const auto share = share_.find(task);
    const auto others = static_cast<double>(std::max<std::int64_t>(total_ - known - routed, 0));
    return of_task + static_cast<std::int64_t>(share == share_.end() ? 0 : share->second * others);
  }

 private:
  struct Routed {
    TaskId task;
    UnixMicros at;
    bool by_llm = false;
  };
  explicit NewCalls(const store::Home& home) : home_(home) {}

  const store::Home& home_;
  std::int64_t total_ = 0;
  std::vector<Routed> routed_;
  std::map<TaskId, double> share_;
};

class Loop {
 public:
  Loop(const store::Home& home, const RefineRequest& request) : home_(home), request_(request) {}

  Result<json::value> turn();

 private:
  Status finish_what_was_cut_off();
  Status refine_task(const Task& task, const NewCalls& new_calls);
  Result<s6::TaskFacts> facts_of(const Task& task, const NewCalls& new_calls) const;
  Status run(Refinement& refinement);
  Status try_other_candidates(const Refinement& first);
  Status drop_old_models(const TaskId& task) const;
  Result<std::string> candidate_for(const Task& task, const std::optional<Artifact>& model) const;

  const store::Home& home_;
  const RefineRequest& request_;
  bool curated_ = false;
  json::array done_;
  json::array idle_;
};

Status Loop::run(Refinement& refinement) {
  {
    auto metadata = TRY(store::Metadata::open(home_));
    TRY(metadata.put_refinement(refinement));
  }
  TRY(RefineRun(home_, request_, curated_).finish(refinement));
  curated_ = curated_ || refinement.branch == "S2";
  done_.push_back(to_json(refinement));
  TRY(drop_old_models(refinement.task));
  return {};
}

Status Loop::finish_what_was_cut_off() {
  std::vector<Refinement> open;
  {
    const auto metadata = TRY(store::Metadata::open(home_));
    open = TRY(metadata.refinements());
  }
  std::erase_if(open, [](const Refinement& run) { return run.stage == RefineStage::done; });
  std::ranges::reverse(open);  // the oldest first
  for (Refinement& refinement : open) {
    ++refinement.resumed;
    TRY(run(refinement));
  }
  return {};
}

Result<s6::TaskFacts> Loop::facts_of(const Task& task, const NewCalls& new_calls) const {
  const auto metadata = TRY(store::Metadata::open(home_));
  const RoutingPolicy policy = TRY(store::load_current_policy(home_));
  const TaskPolicy* live = find_live(policy, task.id);
  s6::TaskFacts facts{.task = task, .now = now()};
  for (Artifact& artifact : TRY(metadata.artifacts(task.id))) {
    if (live && artifact.id != live->artifact) continue;
    facts.model = std::move(artifact);
    break;
  }
  if (!facts.model) return facts;
  for (Evaluation& evaluation : TRY(metadata.evaluations(task.id))) {
    if (evaluation.artifact != facts.model->id) continue;
    facts.evidence = std::move(evaluation);
    break;
  }
  facts.new_calls = new_calls.since(task.id, facts.model->dataset, facts.model->made_at);
  for (const Refinement& turn : TRY(metadata.refinements())) {  // the newest first
    if (turn.task != task.id || turn.stage != RefineStage::done) continue;
    const DatasetId& dataset = turn.dataset.empty() ? facts.model->dataset : turn.dataset;
    facts.last_turn = {.begun_at = turn.begun_at,
                       .new_calls = new_calls.since(task.id, dataset, turn.begun_at)};
    break;
  }
  if (!live) return facts;
  for (TaskWatch& watch : store::load_watches(home_)) {
    if (is_of(watch, *live)) facts.watch = std::move(watch);
  }
  for (Demotion& demotion : store::load_demotions(home_)) {
    if (demotion.task == task.id && demotion.artifact == live->artifact &&
        demotion.at >= live->decided_at) {
      facts.demotion = std::move(demotion);
    }
  }
  return facts;
}

Result<std::string> Loop::candidate_for(const Task& task,
                                        const std::optional<Artifact>& model) const {
  const auto kinds = TRY(eligible_candidates(home_, task.id));
  if (model) {
    const std::string kind = candidate_of(*model);
    // A base that lies outside the library is known from the model that was made on it.
    if (model->kind == CandidateKind::adapter || std::ranges::find(kinds, kind) != kinds.end())
      return kind;
  }
  return kinds.empty() ? std::string{} : kinds.front();
}

Status Loop::refine_task(const Task& task, const NewCalls& new_calls) {
  const s6::TaskFacts facts = TRY(facts_of(task, new_calls));
  auto trigger = s6::find_trigger(facts, request_.rules);
  if (!trigger && request_.force) trigger = {.why = "asked for", .branch = "S2"};
  const bool asked_for = !request_.task.empty();
  if (trigger && !facts.model && !asked_for) trigger.reset();  // a first model is a person's choice
  if (!trigger) {
    idle_.push_back(json::object{{"task", task.id.value},
                                 {"name", task.name},
                                 {"new_calls", facts.new_calls},
                                 {"has_model", facts.model.has_value()}});
    return {};
  }
  const std::string candidate = TRY(candidate_for(task, facts.model));
  if (candidate.empty()) {
    idle_.push_back(json::object{{"task", task.id.value},
                                 {"name", task.name},
                                 {"trigger", trigger->why},
                                 {"reason", "S4 finds no candidate that can be trained here"}});
    return {};
  }
  const RoutingPolicy policy = TRY(store::load_current_policy(home_));
  const TaskPolicy* live = find_live(policy, task.id);
  Refinement refinement{.id = make_uuid7(),
                        .task = task.id,
                        .begun_at = now(),
                        .changed_at = now(),
                        .trigger = trigger->why,
                        .branch = trigger->branch,
                        .candidate = candidate,
                        .dataset = {},
                        .champion = live ? live->artifact : ArtifactId{},
                        .challenger = {},
                        .outcome = {},
                        .reason = {}};
  TRY(run(refinement));
  if (refinement.outcome == "promoted" || refinement.outcome == "proven") return {};
  // A champion that still holds needs no other kind of model.
  if (refinement.outcome == "kept_champion" && !facts.demotion) return {};
  return try_other_candidates(refinement);
}

// The data were not the trouble, or not all of it: another kind of model, on the same data.
Status Loop::try_other_candidates(const Refinement& first) {
  for (const std::string& kind : TRY(eligible_candidates(home_, first.task))) {
    if (kind == first.candidate) continue;
    const RoutingPolicy policy = TRY(store::load_current_policy(home_));
    const TaskPolicy* live = find_live(policy, first.task);
    Refinement refinement = first;
    refinement.id = make_uuid7();
    refinement.stage = RefineStage::begun;
    refinement.begun_at = refinement.changed_at = now();
    refinement.trigger = "the " + first.candidate + " did not win: " + first.reason;
    refinement.branch = "S4";
    refinement.candidate = kind;
    refinement.champion = live ? live->artifact : ArtifactId{};
    refinement.challenger = {};
    refinement.resumed = 0;
    refinement.outcome = refinement.reason = {};
    TRY(run(refinement));
    if (refinement.outcome == "promoted" || refinement.outcome == "proven") return {};
  }
  return {};
}

// The newest stay, and those that some policy may still be rolled back to.
Status Loop::drop_old_models(const TaskId& task) const {
  auto metadata = TRY(store::Metadata::open(home_));
  const RoutingPolicy policy = TRY(store::load_current_policy(home_));
  std::set<ArtifactId> kept;
  ArtifactId previous;
  if (const TaskPolicy* live = find_live(policy, task)) {
    kept.insert(live->artifact);
    for (std::int64_t version = policy.version - 1; version >= 1 && previous.empty(); --version) {
      const auto before = store::load_policy(home_, version);
      const TaskPolicy* served = before ? find_live(*before, task) : nullptr;
      if (served != nullptr && served->artifact != live->artifact) previous = served->artifact;
    }
    kept.insert(previous);
  }
  std::size_t newest = 0;
  for (const Artifact& artifact : TRY(metadata.artifacts(task))) {
    if (newest++ < request_.models_kept || kept.contains(artifact.id)) continue;
    // First the entry: a directory that nobody names does no harm.
    TRY(metadata.remove_artifact(artifact.id));
    std::error_code error;
    std::filesystem::remove_all(home_.artifacts() / artifact.id.value, error);
  }
  return {};
}

Result<json::value> Loop::turn() {
  sweep_workshops(home_);
  TRY(finish_what_was_cut_off());
  std::vector<Task> tasks;
  {
    const auto metadata = TRY(store::Metadata::open(home_));
    TRY(metadata.clustered_dataset());
    tasks = request_.task.empty() ? TRY(metadata.tasks())
                                  : std::vector{TRY(metadata.find_task(request_.task))};
  }
  const NewCalls new_calls = TRY(NewCalls::read(home_, tasks));
  for (const Task& task : tasks) TRY(refine_task(task, new_calls));
  return json::object{{"refinements", std::move(done_)}, {"idle", std::move(idle_)}};
}

}  // namespace

Result<json::value> refine(const store::Home& home, const RefineRequest& request) {
  const auto lock = TRY(FileLock::try_take(home.directory() / "refine.lock"));
  if (!lock) {
    return fail(ErrorCode::conflict, "another refine is at work in " + home.directory().string(),
                "wait for it, or end it: what it has done so far is kept");
  }
  return Loop(home, request).turn();
}

Result<json::value> list_refinements(const store::Home& home) {
  const auto metadata = TRY(store::Metadata::open(home));
  json::array runs;
  for (const Refinement& refinement : TRY(metadata.refinements()))
    runs.push_back(to_json(refinement));
  return runs;
}

}  // namespace understudy::console
