#include "live/route/router.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "adapters/store/policy_store.hpp"
#include "base/log.hpp"
#include "quality/valid_answer.hpp"

namespace understudy::live {

namespace {

constexpr auto poll_interval = std::chrono::seconds(1);

// One policy, indexed for matching; immutable.
struct Snapshot {
  RoutingPolicy policy;
  // (tools hash, response form) -> active tasks, the most specific template first
  std::map<std::pair<std::string, std::string>, std::vector<std::shared_ptr<const TaskPolicy>>>
      tasks;
};

std::shared_ptr<const Snapshot> index(RoutingPolicy policy) {
  auto snapshot = std::make_shared<Snapshot>();
  for (const TaskPolicy& task : policy.tasks) {
    if (task.mode != RouteMode::active) continue;
    snapshot->tasks[{task.key.tools, task.key.response_form}].push_back(
        std::make_shared<TaskPolicy>(task));
  }
  for (auto& [key, tasks] : snapshot->tasks) {
    std::ranges::stable_sort(tasks, std::greater<>{}, [](const auto& task) {
      return task->prompt_template.constant_bytes();
    });
  }
  snapshot->policy = std::move(policy);
  return snapshot;
}

}  // namespace

struct Router::State {
  store::Home home;
  ModelPool models;
  mutable std::mutex mutex;
  std::condition_variable_any wake;
  std::shared_ptr<const Snapshot> snapshot = index({});
  std::atomic<bool> has_tasks{false};  // of the snapshot, without the lock
  std::int64_t refused_version = -1;
  std::jthread watcher;

  State(store::Home place, ModelOpener opener)
      : home(place), models(std::move(place), std::move(opener)) {}

  std::shared_ptr<const Snapshot> current() const {
    const std::scoped_lock lock(mutex);
    return snapshot;
  }

  void reload() {
    const auto version = store::current_policy_version(home);
    const std::int64_t known = current()->policy.version;
    if (!version || *version == known || *version == refused_version) return;
    auto policy = store::load_current_policy(home);
    if (!policy) {
      refused_version = *version;
      log::error("policy version " + std::to_string(*version) + " is refused, version " +
                 std::to_string(known) + " stays in force: " + policy.error().to_text());
      return;
    }
    auto fresh = index(std::move(*policy));
    log::info("policy version " + std::to_string(*version) + " is in force (" +
              fresh->policy.reason + ")");
    const std::scoped_lock lock(mutex);
    has_tasks = !fresh->tasks.empty();
    snapshot = std::move(fresh);
  }

  void watch(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      reload();
      models.reconcile(current()->policy);
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, poll_interval, [] { return false; });
    }
  }
};

Router::Router(std::unique_ptr<State> state) : state_(std::move(state)) {}
Router::~Router() = default;

Result<std::unique_ptr<Router>> Router::open(const store::Home& home, ModelOpener opener) {
  auto state = std::make_unique<State>(home, std::move(opener));
  state->reload();  // the models of a policy come up in the background
  State& running = *state;
  running.watcher = std::jthread([&running](const std::stop_token& stop) { running.watch(stop); });
  return std::unique_ptr<Router>(new Router(std::move(state)));
}

bool Router::has_tasks() const { return state_->has_tasks.load(std::memory_order_relaxed); }

std::int64_t Router::policy_version() const { return state_->current()->policy.version; }

std::optional<Match> Router::match(const wire::ChatRequest& request) const {
  const auto snapshot = state_->current();
  const auto found =
      snapshot->tasks.find({wire::tools_hash(request.tool_names), request.response_form});
  if (found == snapshot->tasks.end()) return std::nullopt;
  for (const auto& task : found->second) {
    if (auto slots = task->prompt_template.match(request.prompt))
      return Match{.task = task, .slots = std::move(*slots)};
  }
  return std::nullopt;
}

SlmAnswer Router::answer(const Match& match, const std::vector<std::string>& tool_names) const {
  const TaskPolicy& task = *match.task;
  SlmAnswer result;
  result.decision = {.server = Server::llm,
                     .task = task.task.value,
                     .artifact = task.artifact.value,
                     .reason = "slm_error"};
  const auto model = state_->models.find(task.artifact);
  if (!model) return result;
  auto prediction = model->predict(match.slots);
  if (!prediction) {
    if (prediction.error().code == ErrorCode::unsupported) {
      result.decision.reason = "slm_unsupported";
    } else if (prediction.error().code == ErrorCode::unavailable) {
      state_->models.report_failure(task.artifact);
    }
    return result;
  }
  result.decision.confidence = prediction->confidence;
  if (prediction->confidence < task.threshold) {
    result.decision.reason = "low_confidence";
  } else if (!quality::is_valid(prediction->answer, {.form = task.answer_form,
                                                     .answer_set = task.answer_set,
                                                     .tool_names = tool_names})) {
    result.decision.reason = "invalid_answer";
  } else {
    result.decision.server = Server::slm;
    result.decision.reason = "accepted";
    result.prediction = std::move(*prediction);
  }
  return result;
}

}  // namespace understudy::live
