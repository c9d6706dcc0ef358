// One policy under its vetoes, ready for the gateway: immutable, shared by all threads.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "live/route/live_task.hpp"
#include "records/policy_matcher.hpp"
#include "records/watch.hpp"

namespace understudy::live {

class PolicyIndex {
 public:
  using Watched = std::shared_ptr<WatchedTask>;
  PolicyIndex() = default;
  // `watched`: one per task of the policy.
  PolicyIndex(RoutingPolicy policy, std::span<const Veto> vetoes,
              const std::vector<Watched>& watched);

  // The task of a request; null: none.
  [[nodiscard]] std::shared_ptr<const LiveTask> find(const std::string& tools_hash,
                                                     const std::string& response_form,
                                                     std::string_view prompt) const {
    const auto number = matcher_.find(tools_hash, response_form, prompt);
    return number ? tasks_[*number] : nullptr;
  }

  [[nodiscard]] bool empty() const { return matcher_.empty(); }
  // Vetoes have put every task that was live on the LLM.
  [[nodiscard]] bool stopped() const { return stopped_; }
  // With the modes that are left under the vetoes.
  [[nodiscard]] const RoutingPolicy& policy() const { return policy_; }
  [[nodiscard]] const std::vector<std::shared_ptr<const LiveTask>>& tasks() const { return tasks_; }

 private:
  RoutingPolicy policy_;
  std::vector<std::shared_ptr<const LiveTask>> tasks_;  // in the order of the policy
  PolicyMatcher matcher_;
  bool stopped_ = false;
};

}  // namespace understudy::live
