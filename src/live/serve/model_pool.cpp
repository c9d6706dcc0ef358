#include "live/serve/model_pool.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace understudy::live {

namespace {

constexpr int pause_s_max = 60;

std::chrono::seconds pause_after(int failures) {
  return std::chrono::seconds(std::min(pause_s_max, 1 << std::min(failures, 6)));
}

}  // namespace

void ModelPool::reconcile(const RoutingPolicy& policy) {
  std::map<ArtifactId, CandidateKind> wanted;
  for (const TaskPolicy& task : policy.tasks) {
    if (task.mode != RouteMode::off) wanted[task.artifact] = task.kind;
  }
  std::map<ArtifactId, Entry> ended;  // destroyed outside the lock: ending a server takes a while
  {
    const std::scoped_lock lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end();) {
      auto next = std::next(it);
      if (!wanted.contains(it->first)) ended.insert(entries_.extract(it));
      it = next;
    }
  }
  for (const auto& [artifact, kind] : wanted) {
    {
      const std::scoped_lock lock(mutex_);
      const Entry& entry = entries_[artifact];
      if (entry.model || Clock::now() < entry.retry_at) continue;
    }
    auto opened = opener_({.kind = kind,
                           .artifact_dir = home_.artifacts() / artifact.value,
                           .parallel = limits::slm_parallel_slots});
    const std::scoped_lock lock(mutex_);
    Entry& entry = entries_[artifact];
    if (opened) {
      entry.model = std::move(*opened);
      log::info("small model " + artifact.value + " is up");
    } else {
      entry.retry_at = Clock::now() + pause_after(++entry.failures);
      log::warn("small model " + artifact.value + " does not start: " + opened.error().to_text());
    }
  }
}

std::shared_ptr<const lm::SmallModel> ModelPool::find(const ArtifactId& artifact) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(artifact);
  return found == entries_.end() ? nullptr : found->second.model;
}

void ModelPool::report_failure(const ArtifactId& artifact) {
  std::shared_ptr<const lm::SmallModel> dead;  // destroyed outside the lock
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(artifact);
  if (found == entries_.end() || !found->second.model) return;
  dead = std::move(found->second.model);
  found->second.model = nullptr;
  found->second.retry_at = Clock::now() + pause_after(found->second.failures++);
  log::warn("small model " + artifact.value + " is away; its calls go to the LLM until it is back");
}

}  // namespace understudy::live
