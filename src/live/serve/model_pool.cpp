#include "live/serve/model_pool.hpp"

#include <algorithm>
#include <iterator>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace understudy::live {

namespace {

constexpr int pause_s_max = 60;

std::chrono::seconds pause_after(int failures) {
  return std::chrono::seconds(std::min(pause_s_max, 1 << std::min(failures, 6)));
}

}  // namespace

void ModelPool::end_what_nobody_uses() {
  std::vector<std::shared_ptr<const lm::SmallModel>> idle;  // destroyed outside the lock
  const std::scoped_lock lock(mutex_);
  const auto in_use =
      std::ranges::partition(ended_, [](const auto& model) { return model.use_count() > 1; });
  idle.assign(std::make_move_iterator(in_use.begin()), std::make_move_iterator(in_use.end()));
  ended_.erase(in_use.begin(), in_use.end());
}

void ModelPool::reconcile(const RoutingPolicy& policy) {
  std::map<ArtifactId, const TaskPolicy*> wanted;
  for (const TaskPolicy& task : policy.tasks) {
    if (task.mode != RouteMode::off) wanted[task.artifact] = &task;
  }
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(entries_, [&](auto& entry) {
      const auto still = wanted.find(entry.first);
      if (still != wanted.end() && still->second->endpoint == entry.second.endpoint) return false;
      if (entry.second.model) ended_.push_back(std::move(entry.second.model));
      return true;
    });
  }
  end_what_nobody_uses();
  for (const auto& [artifact, task] : wanted) {
    {
      const std::scoped_lock lock(mutex_);
      Entry& entry = entries_[artifact];
      entry.endpoint = task->endpoint;
      if (entry.model || Clock::now() < entry.retry_at) continue;
    }
    auto opened = opener_({.kind = task->kind,
                           .artifact_dir = home_.artifacts() / artifact.value,
                           .parallel = limits::slm_parallel_slots,
                           .endpoint = task->endpoint});
    const std::scoped_lock lock(mutex_);
    Entry& entry = entries_[artifact];
    if (opened) {
      entry.model = std::move(*opened);
      entry.opened_at = Clock::now();
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

void ModelPool::report_failure(const ArtifactId& artifact,
                               const std::shared_ptr<const lm::SmallModel>& model) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(artifact);
  if (found == entries_.end() || !model || found->second.model != model) return;
  Entry& entry = found->second;
  ended_.push_back(std::move(entry.model));
  entry.model = nullptr;
  // One that was up for long begins with short pauses again.
  if (Clock::now() - entry.opened_at > std::chrono::seconds(pause_s_max)) entry.failures = 0;
  entry.retry_at = Clock::now() + pause_after(entry.failures++);
  log::warn("small model " + artifact.value + " is away; its calls go to the LLM until it is back");
}

}  // namespace understudy::live
