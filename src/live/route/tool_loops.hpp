// Which calls were answered by a small model with a tool call: the calls that bring the tools'
// results go on from them, and stay with it. What is not known here was answered by the LLM.
// Bounded: two generations of tool_loops_max answers, the older one is forgotten as a whole.
// Thread-safe, quick.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/short_lock.hpp"

namespace understudy::live {

class ToolLoops {
 public:
  static constexpr std::size_t tool_loops_max = 8192;  // about 1 MB

  void opened_by_small_model(std::string call) {
    const auto lock = short_lock(mutex_);
    if (newer_.size() >= tool_loops_max) {
      older_ = std::move(newer_);
      newer_.clear();
    }
    newer_.insert(std::move(call));
  }
  [[nodiscard]] bool was_by_small_model(const std::string& call) const {
    const auto lock = short_lock(mutex_);
    return newer_.contains(call) || older_.contains(call);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_set<std::string> newer_;
  std::unordered_set<std::string> older_;
};

}  // namespace understudy::live
