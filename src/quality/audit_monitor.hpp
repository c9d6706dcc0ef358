// Watches a live task: a share of the calls that its small model answered is asked of the LLM too,
// and each comparison comes here. Says `alarm` when the disagreement rate has risen above alpha,
// whenever that happens, and may be looked at after every call: the chance that it ever alarms
// while the rate never exceeds alpha is at most delta, over all time.
//
// Method: an e-process by betting (Waudby-Smith and Ramdas, "Estimating means of bounded random
// variables by betting", JRSSB 2024; alarms by Ville's inequality). A bettor who stakes a fixed
// share against "disagreement <= alpha" has a fortune with expectation at most 1; ours average
// over stakes, and over the call at which the bet is begun (weight 1 / (j (j + 1)) for call j), so
// that a change in mid-stream is seen against a fresh fortune and not against one that years of
// quiet have used up. A change at call j costs about 2 ln j / KL more calls to see than one at the
// start. O(1) a call; a value type; not thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::quality {

class AuditMonitor {
 public:
  struct Limits {
    double alpha = 0.05;  // disagreement that is accepted; 0 < alpha < 1
    double delta = 0.05;  // chance of a false alarm, ever; 0 < delta < 1
  };

  explicit AuditMonitor(Limits limits);

  void observe(bool agrees);

  // Evidence against "the rate is at most alpha": its expectation is at most 1 while that is true.
  [[nodiscard]] double evidence() const;
  [[nodiscard]] bool alarm() const { return alarm_; }  // evidence reached 1 / delta once
  [[nodiscard]] std::int64_t observed() const { return observed_; }
  [[nodiscard]] std::int64_t disagreements() const { return disagreements_; }
  [[nodiscard]] Limits limits() const { return limits_; }

 private:
  friend json::value to_json(const AuditMonitor& monitor);
  friend Result<AuditMonitor> audit_monitor_from_json(const json::value& tree);

  static constexpr std::size_t stakes = 5;
  Limits limits_;
  std::int64_t observed_ = 0;
  std::int64_t disagreements_ = 0;
  std::array<double, stakes> fortunes_{};  // of the bets begun so far, by stake
  bool alarm_ = false;
};

// What a restarted process goes on from; corrupt for numbers that no monitor has.
json::value to_json(const AuditMonitor& monitor);
Result<AuditMonitor> audit_monitor_from_json(const json::value& tree);

}  // namespace understudy::quality
