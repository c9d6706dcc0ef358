// What is counted about one live task, and the statistics that judge it: the e-process over audited
// calls (quality/audit_monitor.hpp) and the drift of how many calls match and are accepted, and of
// how long the slots' values are.
// Thread-safe: the counts of every call are atomics, comparisons are rare and take a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "quality/audit_monitor.hpp"
#include "records/watch.hpp"

namespace understudy::live {

class WatchedTask {
 public:
  // Goes on from `before`, where that was counted for the same decision.
  WatchedTask(const TaskPolicy& policy, const std::optional<TaskWatch>& before);

  // On I/O threads.
  void matched(const std::vector<std::string>& slots);
  void asked(bool accepted) {
    ++asked_;
    if (accepted) ++accepted_;
  }

  struct Comparison {
    bool kept = true;  // sure enough and valid
    bool agrees = false;
  };
  void compared_in_shadow(Comparison comparison);
  // What is to be reported where this comparison raised the alarm. Once.
  std::optional<Demotion> audited(bool agrees);

  // Looks for drift, in windows of calls. `seen`: calls of any task or none, since the start.
  void look_for_drift(std::int64_t seen);

  [[nodiscard]] TaskWatch record() const;
  [[nodiscard]] bool is_of(const TaskPolicy& policy) const;

 private:
  struct Window {
    std::int64_t seen = 0;
    std::int64_t matched = 0;
    std::int64_t asked = 0;
    std::int64_t kept = 0;
  };
  // Values of one slot against what was seen when the task was clustered.
  struct SlotCounts {
    std::atomic<std::int64_t> shorter = 0;  // than the median
    std::atomic<std::int64_t> longer = 0;
    std::atomic<std::int64_t> beyond = 0;  // longer than the longest
  };
  struct SlotsSeen {
    std::int64_t shorter = 0;
    std::int64_t longer = 0;
    std::int64_t beyond = 0;
  };
  void set_drift(std::string drift);
  void look_at_share(const Window& now);
  void look_at_coverage(const Window& now);
  void look_at_slots(std::int64_t matched);

  TaskPolicy policy_;
  std::atomic<std::int64_t> matched_;
  std::atomic<std::int64_t> asked_;
  std::atomic<std::int64_t> accepted_;
  std::vector<SlotCounts> slots_;  // one per slot; empty where nothing is known of them

  mutable std::mutex mutex_;  // guards what follows
  Compared shadow_;
  Compared audit_;
  quality::AuditMonitor monitor_;
  bool alarmed_ = false;
  std::deque<bool> recent_;  // agreements, the newest last
  std::int64_t seen_ = 0;
  std::int64_t seen_before_ = 0;  // by the process before this one
  Window share_began_;
  Window coverage_began_;
  std::int64_t slots_began_ = 0;  // matched calls
  std::vector<SlotsSeen> slots_before_;
  std::string drift_;
  UnixMicros drift_at_;
};

}  // namespace understudy::live
