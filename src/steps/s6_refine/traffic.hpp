// The call log added up for the report: who answered how many calls of which task, how fast, with
// how many tokens. Reads metadata of calls only, no content. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "economics/savings.hpp"
#include "records/call.hpp"
#include "records/task.hpp"

namespace understudy::s6 {

// Of calls that ended well.
struct Latency {
  std::int64_t calls = 0;
  double median_ms = 0;
  double p95_ms = 0;
};

struct TaskTraffic {
  std::int64_t calls = 0;
  std::int64_t by_slm = 0;
  std::int64_t fallbacks = 0;  // a small model was asked, the LLM answered
  std::int64_t shadowed = 0;   // the LLM's calls that a small model only looked over
  std::int64_t audits = 0;     // asked of the LLM too; no calls of clients, so not in `calls`
  std::int64_t rated = 0;      // calls of the LLM whose success somebody told
  double success = 0;          // their mean, 0..1
  Latency llm;
  Latency slm;
};

struct TimeBucket {
  UnixMicros begins_at;
  std::int64_t by_llm = 0;
  std::int64_t by_slm = 0;
};

class Traffic {
 public:
  // A call's task is the one that routed it, else the one that clustering assigned it to.
  Traffic(std::unordered_map<CallId, TaskId> assigned, std::optional<UnixMicros> promoted_at)
      : assigned_(std::move(assigned)), promoted_at_(promoted_at) {}

  void add(const Call& call);

  [[nodiscard]] std::int64_t calls() const { return calls_; }
  [[nodiscard]] std::int64_t calls_without_usage() const { return calls_without_usage_; }
  [[nodiscard]] std::int64_t audits() const { return audits_; }
  [[nodiscard]] std::optional<double> llm_success() const {
    if (rated_ == 0) return std::nullopt;
    return rewards_ / static_cast<double>(rated_);
  }
  // Of all tasks: accepted or not, the time that small models took for what the LLM answered after
  // all, by the median of what they accepted.
  [[nodiscard]] double fallback_busy_s() const;
  [[nodiscard]] std::int64_t fallbacks() const;
  void settle_audits(economics::Ledger& ledger) const;
  [[nodiscard]] UnixMicros first() const { return first_; }
  [[nodiscard]] UnixMicros last() const { return last_; }
  [[nodiscard]] TaskTraffic of(const TaskId& task) const;  // an empty id: calls of no task
  [[nodiscard]] std::vector<TimeBucket> over_time(std::size_t buckets) const;

  // What the LLM would have read and written for a small model's call is the task's mean over the
  // LLM's own calls (`tasks` knows it where the log does not): small models read only the slots.
  enum class Window { all, since_promotion };
  void settle(economics::Ledger& ledger, Window window, const std::vector<Task>& tasks,
              const std::optional<TaskId>& only = std::nullopt) const;

 private:
  struct Group {
    std::int64_t llm_calls = 0;
    std::int64_t llm_calls_with_usage = 0;
    economics::Tokens llm_tokens;
    std::int64_t slm_calls = 0;
    std::int64_t slm_busy_us = 0;
  };
  struct Samples {
    std::int64_t calls = 0;
    std::int64_t by_slm = 0;
    std::int64_t fallbacks = 0;
    std::int64_t shadowed = 0;
    std::int64_t audits = 0;
    std::int64_t rated = 0;
    double rewards = 0;
    std::vector<std::int64_t> llm_us;
    std::vector<std::int64_t> slm_us;
  };
  using Groups = std::map<std::pair<std::string, std::string>, Group>;  // (task, model)

  void add_audit(const Call& call, const std::string& task);
  [[nodiscard]] economics::Tokens tokens_per_call(const std::string& task,
                                                  const std::vector<Task>& tasks) const;

  std::unordered_map<CallId, TaskId> assigned_;
  std::optional<UnixMicros> promoted_at_;
  std::int64_t calls_ = 0;
  std::int64_t calls_without_usage_ = 0;
  std::int64_t audits_ = 0;
  std::int64_t rated_ = 0;
  double rewards_ = 0;
  Groups audit_groups_;
  UnixMicros first_;
  UnixMicros last_;
  Groups all_;
  Groups since_;
  std::map<std::string, Samples> samples_;  // by task
  std::vector<std::pair<std::int64_t, Server>> times_;
};

}  // namespace understudy::s6
