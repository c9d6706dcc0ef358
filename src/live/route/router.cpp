#include "live/route/router.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include "adapters/store/policy_store.hpp"
#include "adapters/store/watch_store.hpp"
#include "adapters/text/hashing.hpp"
#include "adapters/wire/chat_view.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/pool.hpp"
#include "live/route/policy_index.hpp"
#include "live/route/tool_loops.hpp"
#include "quality/acceptance.hpp"
#include "quality/agreement.hpp"
#include "quality/small_answer.hpp"

namespace understudy::live {

namespace {

constexpr auto poll_interval = std::chrono::seconds(1);
constexpr std::size_t shadow_threads = 2;
constexpr std::size_t shadow_calls_max = 64;  // that wait for their small model

// Evenly spread over 0..1, the same for the same text in every gateway.
double draw(std::string_view text, std::string_view salt) {
  constexpr double values = 18446744073709551616.0;  // 2^64
  return static_cast<double>(text::hash64(text, text::hash64(salt))) / values;
}

std::optional<Answer> read_teacher(const Teacher& teacher) {
  const auto tree = json::parse(teacher.response.reveal());
  if (!tree) return std::nullopt;
  const auto chat = wire::to_chat_response(teacher.api, *tree);
  if (!chat) return std::nullopt;
  auto answer = wire::parse_answer(*chat);
  return answer && !answer->empty() ? std::optional(std::move(*answer)) : std::nullopt;
}

quality::AnswerShape shape_of(const Teacher& teacher) {
  if (teacher.request.empty()) return {};
  const auto request = json::parse(teacher.request.reveal());
  return request ? quality::answer_shape(*request) : quality::AnswerShape{};
}

std::string_view reason_of(const LiveTask& task) {
  if (task.mode == RouteMode::off) return "off";
  return task.vetoed ? "demoted" : "shadow";
}

}  // namespace

struct Router::State {
  store::Home home;
  ModelPool models;
  ToolLoops loops;
  mutable std::mutex mutex;
  std::condition_variable_any wake;
  std::shared_ptr<const PolicyIndex> index = std::make_shared<PolicyIndex>();
  std::atomic<bool> has_tasks{false};  // of the index, without the lock
  std::atomic<bool> stopped{false};
  mutable std::atomic<std::int64_t> seen{0};  // calls, whatever task
  std::atomic<std::size_t> shadows_waiting{0};

  std::mutex changing;    // one change of what follows at a time; before `mutex`
  RoutingPolicy decided;  // as signed
  std::vector<Veto> vetoes;
  std::vector<Veto> own_vetoes;  // of this process: in force also where the disk takes nothing
  std::vector<PolicyIndex::Watched> watched;
  std::int64_t refused_version = -1;
  bool vetoes_unreadable = false;

  std::jthread watcher;
  std::jthread keeper;
  Pool shadow_pool{shadow_threads};  // last: its threads use what stands above

  State(store::Home place, ModelOpener opener)
      : home(place), models(std::move(place), std::move(opener)) {}

  std::shared_ptr<const PolicyIndex> current() const {
    const std::scoped_lock lock(mutex);
    return index;
  }

  void poll();
  bool load_policy();
  bool load_vetoes();
  void rebuild();
  void demote(const LiveTask& task, Demotion demotion);
  void save();
  void watch(const std::stop_token& stop);
  void keep_models(const std::stop_token& stop);
  SlmAnswer answer(const Match& match, const quality::AnswerShape& shape);
};

// True where there is a new one.
bool Router::State::load_policy() {
  const auto version = store::current_policy_version(home);
  if (!version || *version == decided.version || *version == refused_version) return false;
  auto policy = store::load_current_policy(home);
  if (!policy) {
    refused_version = *version;
    log::error("policy version " + std::to_string(*version) + " is refused, version " +
               std::to_string(decided.version) + " stays in force: " + policy.error().to_text());
    return false;
  }
  decided = std::move(*policy);
  log::info("policy version " + std::to_string(decided.version) + " is in force (" +
            decided.reason + ")");
  // A task that was decided as before keeps its counts, also over a restart.
  const std::vector<TaskWatch> stored = store::load_watches(home);
  std::vector<PolicyIndex::Watched> fresh;
  for (const TaskPolicy& task : decided.tasks) {
    const auto known = std::ranges::find_if(
        watched, [&task](const auto& candidate) { return candidate->is_of(task); });
    if (known != watched.end()) {
      fresh.push_back(*known);
      continue;
    }
    const auto before = std::ranges::find_if(
        stored, [&task](const TaskWatch& entry) { return is_of(entry, task); });
    fresh.push_back(std::make_shared<WatchedTask>(
        task, before == stored.end() ? std::nullopt : std::optional(*before)));
  }
  watched = std::move(fresh);
  return true;
}

bool Router::State::load_vetoes() {
  auto stored = store::load_vetoes(home);
  const bool readable = stored.has_value();
  if (!readable) {
    if (!vetoes_unreadable) {
      log::error("every call goes to the LLM, because the vetoes cannot be read: " +
                 stored.error().to_text());
    }
    stored =
        std::vector<Veto>{{.task = {}, .mode = RouteMode::off, .at = {INT64_MAX}, .reason = {}}};
  }
  vetoes_unreadable = !readable;
  stored->insert(stored->end(), own_vetoes.begin(), own_vetoes.end());
  const auto same = [](const Veto& left, const Veto& right) {
    return left.task == right.task && left.mode == right.mode && left.at == right.at;
  };
  if (std::ranges::equal(*stored, vetoes, same)) return false;
  vetoes = std::move(*stored);
  return true;
}

void Router::State::rebuild() {
  auto fresh = std::make_shared<const PolicyIndex>(decided, vetoes, watched);
  const std::scoped_lock lock(mutex);
  has_tasks = !fresh->empty();
  stopped = fresh->stopped();
  index = std::move(fresh);
}

void Router::State::poll() {
  const std::scoped_lock lock(changing);
  const bool policy_changed = load_policy();
  if (load_vetoes() || policy_changed) rebuild();
}

void Router::State::save() {
  std::vector<TaskWatch> records;
  {
    const std::scoped_lock lock(changing);
    for (const auto& task : watched) {
      task->look_for_drift(seen.load(std::memory_order_relaxed));
      records.push_back(task->record());
    }
  }
  if (records.empty()) return;
  if (const Status saved = store::save_watches(home, records); !saved)
    log::warn("the watch over small models is not saved: " + saved.error().message);
}

void Router::State::watch(const std::stop_token& stop) {
  std::int64_t saved_at = -1;
  while (!stop.stop_requested()) {
    poll();
    if (const std::int64_t calls = seen.load(std::memory_order_relaxed); calls != saved_at) {
      save();
      saved_at = calls;
    }
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, poll_interval, [] { return false; });
  }
}

// Beside watch(): a model that takes its time to come up must not keep a kill switch waiting.
void Router::State::keep_models(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    models.reconcile(current()->policy());
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, poll_interval, [] { return false; });
  }
}

// In force before anything is written: the next call already goes to the LLM.
void Router::State::demote(const LiveTask& task, Demotion demotion) {
  const Veto veto{.task = demotion.task,
                  .mode = demotion.to,
                  .at = std::max(demotion.at, task.policy.decided_at),
                  .reason = "the audit's alarm"};
  {
    const std::scoped_lock lock(changing);
    own_vetoes.push_back(veto);
    vetoes.push_back(veto);
    rebuild();
    demotion.policy_version = decided.version;
  }
  log::warn("task " + demotion.task.value + " is demoted: " + demotion.reason);
  const Status vetoed = store::add_veto(home, current()->policy(), veto);
  const Status reported = store::add_demotion(home, demotion);
  for (const Status& status : {vetoed, reported}) {
    if (!status) log::error("a demotion is not on the disk: " + status.error().to_text());
  }
}

SlmAnswer Router::State::answer(const Match& match, const quality::AnswerShape& shape) {
  const TaskPolicy& task = match.task->policy;
  SlmAnswer result;
  result.decision = {.server = Server::llm,
                     .task = task.task.value,
                     .artifact = task.artifact.value,
                     .reason = "slm_error"};
  const auto model = models.find(task.artifact);
  if (!model) return result;
  auto prediction =
      quality::small_answer([&model](const Question& question) { return model->predict(question); },
                            match.slots, shape, quality::manner_of(task));
  if (!prediction) {
    if (prediction.error().code == ErrorCode::unsupported) {
      result.decision.reason = "slm_unsupported";
    } else if (prediction.error().code == ErrorCode::unavailable ||
               prediction.error().code == ErrorCode::timeout) {
      models.report_failure(task.artifact, model);
    }
    return result;
  }
  result.decision.confidence = prediction->confidence;
  result.decision.reason =
      quality::acceptance(task, prediction->answer, prediction->confidence, shape);
  if (result.decision.reason == quality::accepted) {
    result.decision.server = Server::slm;
    result.prediction = std::move(*prediction);
  }
  return result;
}

Router::Router(std::unique_ptr<State> state) : state_(std::move(state)) {}

Router::~Router() {
  for (std::jthread* thread : {&state_->watcher, &state_->keeper}) {
    thread->request_stop();
    if (thread->joinable()) thread->join();
  }
  state_->save();
}

Result<std::unique_ptr<Router>> Router::open(const store::Home& home, ModelOpener opener) {
  auto state = std::make_unique<State>(home, std::move(opener));
  state->poll();  // the models of a policy come up in the background
  State& running = *state;
  running.watcher = std::jthread([&running](const std::stop_token& stop) { running.watch(stop); });
  running.keeper =
      std::jthread([&running](const std::stop_token& stop) { running.keep_models(stop); });
  return std::unique_ptr<Router>(new Router(std::move(state)));
}

bool Router::has_tasks() const { return state_->has_tasks.load(std::memory_order_relaxed); }

bool Router::is_stopped() const { return state_->stopped.load(std::memory_order_relaxed); }

std::int64_t Router::policy_version() const { return state_->current()->policy().version; }

std::optional<Match> Router::match(const wire::ChatRequest& request, const Place& place) const {
  state_->seen.fetch_add(1, std::memory_order_relaxed);
  const auto task = state_->current()->find(wire::tools_hash(request.tool_names),
                                            request.response_form, request.prompt);
  if (!task) return std::nullopt;
  Match match{
      .task = task,
      .slots = *task->policy.prompt_template.match(request.prompt),
      .shaped = !request.tool_names.empty() || request.response_form.starts_with("json_schema")};
  task->watched->matched(match.slots);
  const bool in_tool_loop =
      !request.roles.empty() && request.roles.back() == "tool" && !place.parent.empty();
  if (task->mode == RouteMode::off) {
    match.course = Course::llm;
    match.reason = "off";
  } else if (task->mode == RouteMode::shadow) {
    match.course = Course::shadow;
    match.reason = reason_of(*task);
  } else if (in_tool_loop) {
    if (!state_->loops.was_by_small_model(place.parent.value)) {
      match.course = Course::llm;
      match.reason = "tool_loop";
    }
  } else if (task->mode == RouteMode::canary) {
    const std::string& unit = place.session.empty() ? place.call.value : place.session.value;
    if (draw(unit, task->policy.task.value) >= task->policy.canary_share) {
      match.course = Course::shadow;
      match.reason = "canary";
    }
  }
  return match;
}

SlmAnswer Router::answer(const Match& match, const quality::AnswerShape& shape) const {
  SlmAnswer result = state_->answer(match, shape);
  match.task->watched->asked(result.decision.server == Server::slm);
  return result;
}

void Router::opened_tool_loop(const CallId& call) {
  state_->loops.opened_by_small_model(call.value);
}

bool Router::compare_in_shadow(Match match, Teacher teacher) {
  State& state = *state_;
  if (state.shadows_waiting.fetch_add(1) >= shadow_calls_max) {
    --state.shadows_waiting;
    return false;
  }
  // Shared: a std::function must be copyable, and a secret is not.
  auto kept = std::make_shared<Teacher>(std::move(teacher));
  state.shadow_pool.submit([&state, match = std::move(match), kept] {
    const auto said = read_teacher(*kept);
    if (said) {
      const quality::AnswerShape shape = shape_of(*kept);
      const SlmAnswer answer = state.answer(match, shape);
      // A model that is away says nothing about its answers.
      if (answer.decision.reason != "slm_error") {
        match.task->watched->compared_in_shadow(
            {.kept = answer.decision.server == Server::slm,
             .agrees = quality::agrees(*said, answer.prediction.answer,
                                       match.task->policy.answer_form, shape)});
      }
    }
    --state.shadows_waiting;
  });
  return true;
}

bool Router::audits(const Match& match, const CallId& call) const {
  return draw(call.value, "audit") < match.task->policy.audit_share;
}

void Router::audited(const Match& match, const Answer& small_model, const Teacher& teacher) {
  const auto said = read_teacher(teacher);
  if (!said) return;  // it says nothing about the small model
  const bool agrees =
      quality::agrees(*said, small_model, match.task->policy.answer_form, shape_of(teacher));
  if (auto demotion = match.task->watched->audited(agrees))
    state_->demote(*match.task, std::move(*demotion));
}

void Router::scrape(telemetry::Scrape& scrape) const {
  const auto index = state_->current();
  scrape.gauge("understudy_policy_version", "Of the routing policy in force.",
               static_cast<double>(index->policy().version));
  for (const auto& task : index->tasks()) {
    const TaskWatch watch = task->watched->record();
    const std::string& id = task->policy.task.value;
    const auto count = [&](std::string_view what, std::int64_t value) {
      scrape.counter("understudy_route_calls_total",
                     "Calls of a task: matched, asked of its small model, accepted, compared.",
                     static_cast<double>(value), {{"task", id}, {"what", std::string(what)}});
    };
    count("matched", watch.matched);
    count("asked", watch.asked);
    count("accepted", watch.accepted);
    count("shadowed", watch.shadow.calls);
    count("shadow_kept", watch.shadow.kept);
    count("shadow_agreed", watch.shadow.agreed);
    count("audited", watch.audit.calls);
    count("audit_agreed", watch.audit.agreed);
    scrape.gauge("understudy_route_mode", "1 for the mode that a task is in.", 1,
                 {{"task", id}, {"mode", std::string(to_string(task->mode))}});
    scrape.gauge("understudy_route_drifted", "1: the task's calls have changed.",
                 watch.drift.empty() ? 0 : 1, {{"task", id}});
  }
}

}  // namespace understudy::live
