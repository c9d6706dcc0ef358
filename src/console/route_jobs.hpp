// The control plane's jobs on what is live: put a proven model live to a degree, take it back, the
// kill switch, and what the gateway has seen since. Like jobs.hpp: from a home to JSON.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

struct PromoteRequest {
  std::string task;
  std::string mode = "active";  // shadow, canary, active
  double canary_percent = 10;
  double audit_percent = 2;
  std::optional<std::filesystem::path> draft;  // write the policy here instead of publishing it
};
Result<json::value> promote(const store::Home& home, const PromoteRequest& request);

struct RollbackRequest {
  std::string task;
  bool to_previous = false;  // to the model before this one, instead of to the LLM
};
Result<json::value> rollback(const store::Home& home, const RollbackRequest& request);

struct ReplayRequest {
  std::string policy = "current";  // or a version's number, or a file that `promote --draft` wrote
  std::int64_t calls_max = 0;      // 0: all of the log
};
// What the policy would have done with the log's calls; needs the curator's key.
Result<json::value> replay(const store::Home& home, const ReplayRequest& request);

// Per task of the policy: the mode that was decided and the one that is left of it, why, and what
// was matched, accepted, compared since; and the demotions, the newest first. Needs no key but the
// policy's public one.
Result<json::value> show_routes(const store::Home& home);
// Without a task: everything.
Result<json::value> switch_routes(const store::Home& home, const std::optional<std::string>& task,
                                  bool on);

}  // namespace understudy::console
