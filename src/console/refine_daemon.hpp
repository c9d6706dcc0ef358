// The loop on its own: looks every few seconds for what asks for another turn (calls that have
// come, a demotion, drift, age, a turn that was cut off) and has `understudy refine` do it in a
// child with low priority, which works with the keys that this process has unlocked. What a turn
// does stands in console/refine_jobs.hpp; this only says when. A turn that is cut off, also by a
// kill of this process, is gone on with by the next one. Owner: the console's server. Thread-safe;
// the destructor ends a turn under way and may take some seconds.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"

namespace understudy::console {

// What is looked at: cheap to read, and needs no key.
struct RefineSigns {
  std::string log;                  // differs when calls have come
  std::size_t demotions = 0;        // all so far
  std::vector<std::string> drifts;  // "TASK: what", of live tasks, in order
  bool cut_off = false;             // a turn is not done
};

struct RefinePace {
  std::chrono::seconds interval{900};  // new calls alone: at most one look in this time
  std::chrono::seconds daily{86'400};  // for what only time brings: the age of models
};

// Why a turn should be tried now; empty: no reason. `before`: as things stood at the last one.
// Pure.
std::string why_look(const RefineSigns& before, const RefineSigns& now, std::chrono::seconds since,
                     const RefinePace& pace);

struct RefineDaemonOptions {
  store::Home home;
  std::vector<std::string> turn;  // the command that does one, and prints its result as JSON
  RefinePace pace = {};
  std::chrono::milliseconds poll{2'000};
};

class RefineDaemon {
 public:
  explicit RefineDaemon(RefineDaemonOptions options);
  ~RefineDaemon();
  RefineDaemon(const RefineDaemon&) = delete;
  RefineDaemon& operator=(const RefineDaemon&) = delete;

  // {"state": "waiting" | "working" | "blocked", "why", "since", "last": {...} or null, ...}
  [[nodiscard]] json::value state() const;
  // At the next poll, whatever the signs say.
  void look_now(std::string why);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::console
