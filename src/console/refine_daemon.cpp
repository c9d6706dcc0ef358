#include "console/refine_daemon.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "adapters/store/metadata.hpp"
#include "adapters/store/watch_store.hpp"
#include "base/clock.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/run_program.hpp"
#include "console/file_stamp.hpp"

namespace understudy::console {

namespace {

constexpr int turn_niceness = 10;  // the agents' calls come first
constexpr std::size_t message_bytes_max = 500;

RefineSigns read_signs(const store::Home& home) {
  RefineSigns signs{.log = stamp_of_all(home.log()),
                    .demotions = store::load_demotions(home).size(),
                    .drifts = {}};
  for (const TaskWatch& watch : store::load_watches(home))
    if (!watch.drift.empty()) signs.drifts.push_back(watch.task.value + ": " + watch.drift);
  std::ranges::sort(signs.drifts);
  std::error_code error;
  if (!std::filesystem::exists(home.metadata(), error)) return signs;
  if (const auto metadata = store::Metadata::open(home)) {
    if (const auto runs = metadata->refinements())
      signs.cut_off = std::ranges::any_of(
          *runs, [](const Refinement& run) { return run.stage != RefineStage::done; });
  }
  return signs;
}

// The end of what a program said: there stands what went wrong, as JSON where it was asked to.
std::string message_in(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const std::size_t line = text.find_last_of('\n') + 1;  // 0 where there is no other
  if (const auto told = json::parse(std::string_view(text).substr(line));
      told && told->is_object()) {
    if (const json::value* error = json::find(*told, "error"); error != nullptr) {
      return Error{.message = json::string_or(*error, "message"),
                   .hint = json::string_or(*error, "hint")}
          .to_line();
    }
  }
  if (text.size() > message_bytes_max) text.erase(0, text.size() - message_bytes_max);
  return text;
}

}  // namespace

std::string why_look(const RefineSigns& before, const RefineSigns& now, std::chrono::seconds since,
                     const RefinePace& pace) {
  if (now.demotions > before.demotions) return "a task was demoted";
  const bool drifts_anew = std::ranges::any_of(now.drifts, [&before](const std::string& drift) {
    return std::ranges::find(before.drifts, drift) == before.drifts.end();
  });
  if (drifts_anew) return "a task's calls have changed";
  if (since < pace.interval) return {};
  if (now.cut_off) return "a turn was cut off";
  if (now.log != before.log) return "calls have come";
  return since >= pace.daily ? "a day has gone by" : "";
}

struct RefineDaemon::State {
  explicit State(RefineDaemonOptions what) : options(std::move(what)) {}

  RefineDaemonOptions options;
  mutable std::mutex mutex;
  std::condition_variable_any wake;
  std::string state = "waiting";  // this and what follows under the mutex
  std::string why = {};
  std::string asked_for = "the console has started";
  UnixMicros since = now();
  json::value last = nullptr;
  std::jthread thread = {};

  void run(const std::stop_token& stop);
  void turn(std::string reason, const std::stop_token& stop);
  std::string take_request() {
    const std::scoped_lock lock(mutex);
    return std::exchange(asked_for, {});
  }
  void set(std::string_view to, std::string reason) {
    const std::scoped_lock lock(mutex);
    state = to;
    why = std::move(reason);
    since = now();
  }
};

void RefineDaemon::State::run(const std::stop_token& stop) {
  RefineSigns before;
  Stopwatch since_last;
  while (!stop.stop_requested()) {
    RefineSigns signs = read_signs(options.home);
    std::string reason = take_request();
    if (reason.empty())
      reason = why_look(before, signs,
                        std::chrono::seconds(static_cast<std::int64_t>(since_last.elapsed_s())),
                        options.pace);
    if (!reason.empty()) {
      before = std::move(signs);  // what changes during the turn asks for the next one
      turn(std::move(reason), stop);
      since_last = Stopwatch();
    }
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, options.poll, [this] { return !asked_for.empty(); });
  }
}

void RefineDaemon::State::turn(std::string reason, const std::stop_token& stop) {
  set("working", reason);
  const UnixMicros begun = now();
  const auto outcome =
      run_program({.words = options.turn, .niceness = turn_niceness, .stop = stop});
  json::object result{{"why", reason}, {"begun", to_iso8601(begun)}, {"ended", to_iso8601(now())}};
  std::string problem;
  if (!outcome) {
    problem = outcome.error().message;
  } else if (outcome->exit_code != 0) {
    problem = message_in(outcome->told);
    if (problem.empty()) problem = "the turn ended with code " + std::to_string(outcome->exit_code);
  } else if (auto made = json::parse(outcome->output); made && made->is_object()) {
    for (auto& member : made->as_object()) result[member.key()] = std::move(member.value());
  }
  if (!problem.empty()) result["problem"] = problem;
  // Nothing recorded yet, or somebody else at work: no trouble, it is tried again.
  const bool waits =
      problem.empty() ||
      (outcome && (outcome->exit_code == exit_not_found || outcome->exit_code == exit_conflict));
  if (!waits && !stop.stop_requested()) log::warn("refine: " + problem);
  set(waits ? "waiting" : "blocked", problem);
  const std::scoped_lock lock(mutex);
  last = std::move(result);
}

RefineDaemon::RefineDaemon(RefineDaemonOptions options)
    : state_(std::make_unique<State>(std::move(options))) {
  State& running = *state_;
  running.thread = std::jthread([&running](const std::stop_token& stop) { running.run(stop); });
}

RefineDaemon::~RefineDaemon() = default;

json::value RefineDaemon::state() const {
  const std::scoped_lock lock(state_->mutex);
  return json::object{{"state", state_->state},
                      {"why", state_->why},
                      {"since", to_iso8601(state_->since)},
                      {"interval_s", state_->options.pace.interval.count()},
                      {"last", state_->last}};
}

void RefineDaemon::look_now(std::string why) {
  const std::scoped_lock lock(state_->mutex);
  state_->asked_for = std::move(why);
  state_->wake.notify_all();
}

}  // namespace understudy::console
