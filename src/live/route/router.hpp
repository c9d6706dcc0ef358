// Small model or LLM? Matches a request against the routing policy in force and asks the task's
// model. The policy is polled every second and verified; a broken one is refused and the old one
// kept. match() is quick and for I/O threads; answer() blocks and is for a pool. Both are
// thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/lm/small_model.hpp"
#include "adapters/store/home.hpp"
#include "adapters/wire/chat.hpp"
#include "base/result.hpp"
#include "live/serve/model_pool.hpp"
#include "records/policy.hpp"

namespace understudy::live {

// A request that a task of the policy claims. Shared: the policy may change while the call is under
// way.
struct Match {
  std::shared_ptr<const TaskPolicy> task;
  std::vector<std::string> slots;
};

struct SlmAnswer {
  RouteDecision decision;
  lm::Prediction prediction;  // valid where decision.server is slm
};

class Router {
 public:
  static Result<std::unique_ptr<Router>> open(const store::Home& home, ModelOpener opener);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Nothing: the LLM's, because no active task has such prompts.
  [[nodiscard]] std::optional<Match> match(const wire::ChatRequest& request) const;

  // Asks the task's model and accepts or not. `tool_names`: what the request offers, sorted.
  [[nodiscard]] SlmAnswer answer(const Match& match,
                                 const std::vector<std::string>& tool_names) const;

  // Without any, no request needs to be read for match(). Quick.
  [[nodiscard]] bool has_tasks() const;
  [[nodiscard]] std::int64_t policy_version() const;

 private:
  struct State;
  explicit Router(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::live
