// S6, before anything goes live: what a policy would have done with the calls of the log that the
// LLM answered. Matches as the gateway does, asks the policy's models, compares with what the LLM
// said. Reads content (the curator's key); publishes nothing. What it cannot know: how an agent
// would have gone on after another answer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "economics/savings.hpp"
#include "records/policy.hpp"

namespace understudy::s6 {

struct TaskReplay {
  TaskId task;
  std::string name;
  RouteMode mode = RouteMode::off;
  std::int64_t matched = 0;
  std::int64_t accepted = 0;
  std::int64_t agreed = 0;                             // of the accepted
  std::map<std::string, std::int64_t> fallbacks = {};  // calls by reason
  double agreement_lower = 0;                          // Clopper-Pearson, 95 %
  economics::Savings savings = {};                     // of the task's calls
};

struct ReplayReport {
  std::int64_t policy_version = 0;
  std::string policy_reason;
  std::int64_t calls = 0;  // of the log that the LLM answered and that could be read
  std::int64_t skipped = 0;
  std::vector<TaskReplay> tasks;
  economics::Savings savings;  // of all calls
};

struct ReplayOptions {
  RoutingPolicy policy;
  std::int64_t calls_max = 0;  // the first ones of the log; 0: all
};

Result<ReplayReport> replay(const store::Home& home, const ReplayOptions& options);
json::value to_json(const ReplayReport& report);

}  // namespace understudy::s6
