// Keeps the small models of the routing policy open: starts what the policy names, ends what it no
// longer names, restarts with growing pauses what has died or hangs. Meanwhile the gateway sends
// the task's calls to the LLM. find() and report_failure() are thread-safe and quick; reconcile()
// starts and ends processes and blocks: one thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/lm/open_model.hpp"
#include "adapters/lm/small_model.hpp"
#include "adapters/store/home.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "records/policy.hpp"

namespace understudy::live {

using ModelOpener =
    std::function<Result<std::unique_ptr<lm::SmallModel>>(const lm::OpenModelOptions&)>;

class ModelPool {
 public:
  ModelPool(store::Home home, ModelOpener opener)
      : home_(std::move(home)), opener_(std::move(opener)) {}

  void reconcile(const RoutingPolicy& policy);

  // Empty while the model is not open. Shared: a call in flight keeps its model until it has its
  // answer.
  [[nodiscard]] std::shared_ptr<const lm::SmallModel> find(const ArtifactId& artifact) const;

  // This model's server is away, or does not answer: it is closed and opened anew. What find() gave
  // says which one is meant: its successor may be up already.
  void report_failure(const ArtifactId& artifact,
                      const std::shared_ptr<const lm::SmallModel>& model);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::shared_ptr<const lm::SmallModel> model;
    std::optional<ModelEndpoint> endpoint = std::nullopt;
    int failures = 0;
    Clock::time_point opened_at{};
    Clock::time_point retry_at{};
  };
  void end_what_nobody_uses();

  store::Home home_;
  ModelOpener opener_;
  mutable std::mutex mutex_;
  std::map<ArtifactId, Entry> entries_;
  // To be ended by reconcile(), as that takes a while, when no call is left that uses them.
  std::vector<std::shared_ptr<const lm::SmallModel>> ended_;
};

}  // namespace understudy::live
