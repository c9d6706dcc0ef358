#include "steps/s6_refine/traffic.hpp"

#include <algorithm>
#include <cmath>

namespace understudy::s6 {

namespace {

constexpr double ms(std::int64_t us) { return static_cast<double>(us) / 1000; }

Latency summarise(std::vector<std::int64_t> latencies_us) {
  if (latencies_us.empty()) return {};
  std::ranges::sort(latencies_us);
  const auto at = [&](double share) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(latencies_us.size())));
    return ms(latencies_us[std::max<std::size_t>(rank, 1) - 1]);
  };
  return {.calls = static_cast<std::int64_t>(latencies_us.size()),
          .median_ms = at(0.5),
          .p95_ms = at(0.95)};
}

// A small model was asked, and the LLM then.
bool was_asked(const RouteDecision& route) {
  return route.reason == "low_confidence" || route.reason == "invalid_answer" ||
         route.reason == "slm_error";
}

}  // namespace

void Traffic::add_audit(const Call& call, const std::string& task) {
  ++audits_;
  ++samples_[task].audits;
  Group& group =
      audit_groups_[{task, call.served_model.empty() ? call.requested_model : call.served_model}];
  ++group.llm_calls;
  group.llm_tokens.prompt += static_cast<double>(call.usage.prompt_tokens);
  group.llm_tokens.completion += static_cast<double>(call.usage.completion_tokens);
}

std::int64_t Traffic::fallbacks() const {
  std::int64_t count = 0;
  for (const auto& [task, samples] : samples_) count += samples.fallbacks;
  return count;
}

double Traffic::fallback_busy_s() const {
  double seconds = 0;
  for (const auto& [task, samples] : samples_)
    seconds += static_cast<double>(samples.fallbacks) * summarise(samples.slm_us).median_ms / 1000;
  return seconds;
}

void Traffic::settle_audits(economics::Ledger& ledger) const {
  for (const auto& [key, group] : audit_groups_)
    ledger.add_llm_calls(key.second, group.llm_calls, group.llm_tokens);
}

void Traffic::add(const Call& call) {
  std::string task = call.route.task;
  if (task.empty()) {
    if (const auto found = assigned_.find(call.id); found != assigned_.end())
      task = found->second.value;
  }
  if (call.route.reason == "audit") {
    add_audit(call, task);
    return;
  }
  ++calls_;
  const bool by_slm = call.route.server == Server::slm;
  const bool has_usage = call.usage.prompt_tokens > 0 || call.usage.completion_tokens > 0;
  if (!by_slm && !has_usage) ++calls_without_usage_;

  const std::string& model =
      by_slm || call.served_model.empty() ? call.requested_model : call.served_model;
  const auto count = [&](Groups& groups) {
    Group& group = groups[{task, model}];
    if (by_slm) {
      ++group.slm_calls;
      group.slm_busy_us += std::max<std::int64_t>(call.latency_us(), 0);
      return;
    }
    ++group.llm_calls;
    group.llm_calls_with_usage += has_usage ? 1 : 0;
    group.llm_tokens.prompt += static_cast<double>(call.usage.prompt_tokens);
    group.llm_tokens.completion += static_cast<double>(call.usage.completion_tokens);
  };
  count(all_);
  if (promoted_at_ && call.started_at >= *promoted_at_) count(since_);

  Samples& samples = samples_[task];
  ++samples.calls;
  samples.by_slm += by_slm ? 1 : 0;
  samples.fallbacks += !by_slm && was_asked(call.route) ? 1 : 0;
  samples.shadowed += call.route.reason == "shadow" || call.route.reason == "canary" ||
                              call.route.reason == "demoted"
                          ? 1
                          : 0;
  if (!by_slm && call.reward) {
    const double reward = std::clamp(*call.reward, 0.0, 1.0);
    ++samples.rated;
    samples.rewards += reward;
    ++rated_;
    rewards_ += reward;
  }
  if (call.status == CallStatus::ok && call.started_at.known() && call.latency_us() > 0)
    (by_slm ? samples.slm_us : samples.llm_us).push_back(call.latency_us());
  if (!call.started_at.known()) return;
  if (!first_.known() || call.started_at < first_) first_ = call.started_at;
  last_ = std::max(last_, call.started_at);
  times_.emplace_back(call.started_at.value, call.route.server);
}

TaskTraffic Traffic::of(const TaskId& task) const {
  const auto found = samples_.find(task.value);
  if (found == samples_.end()) return {};
  const Samples& samples = found->second;
  return {.calls = samples.calls,
          .by_slm = samples.by_slm,
          .fallbacks = samples.fallbacks,
          .shadowed = samples.shadowed,
          .audits = samples.audits,
          .rated = samples.rated,
          .success = samples.rated == 0 ? 0 : samples.rewards / static_cast<double>(samples.rated),
          .llm = summarise(samples.llm_us),
          .slm = summarise(samples.slm_us)};
}

std::vector<TimeBucket> Traffic::over_time(std::size_t buckets) const {
  if (times_.empty() || buckets == 0) return {};
  const auto count = static_cast<std::int64_t>(buckets);
  const std::int64_t width = (last_.value - first_.value) / count + 1;
  std::vector<TimeBucket> series;
  for (std::int64_t i = 0; i < count; ++i)
    series.push_back({.begins_at = {first_.value + i * width}});
  for (const auto& [time, server] : times_) {
    TimeBucket& bucket = series[static_cast<std::size_t>((time - first_.value) / width)];
    ++(server == Server::slm ? bucket.by_slm : bucket.by_llm);
  }
  return series;
}

economics::Tokens Traffic::tokens_per_call(const std::string& task,
                                           const std::vector<Task>& tasks) const {
  economics::Tokens sum;
  std::int64_t calls = 0;
  for (const auto& [key, group] : all_) {
    if (key.first != task) continue;
    sum.prompt += group.llm_tokens.prompt;
    sum.completion += group.llm_tokens.completion;
    calls += group.llm_calls_with_usage;
  }
  const auto known = std::ranges::find(tasks, TaskId{task}, &Task::id);
  if (calls == 0 && known != tasks.end()) {
    sum = {.prompt = static_cast<double>(known->statistics.prompt_tokens),
           .completion = static_cast<double>(known->statistics.completion_tokens)};
    calls = known->statistics.calls;
  }
  if (calls == 0) return {};
  const auto count = static_cast<double>(calls);
  return {.prompt = sum.prompt / count, .completion = sum.completion / count};
}

void Traffic::settle(economics::Ledger& ledger, Window window, const std::vector<Task>& tasks,
                     const std::optional<TaskId>& only) const {
  for (const auto& [key, group] : window == Window::all ? all_ : since_) {
    const auto& [task, model] = key;
    if (only && only->value != task) continue;
    if (group.llm_calls > 0) ledger.add_llm_calls(model, group.llm_calls, group.llm_tokens);
    if (group.slm_calls == 0) continue;
    const economics::Tokens each = tokens_per_call(task, tasks);
    const auto count = static_cast<double>(group.slm_calls);
    ledger.add_slm_calls(
        model, {.calls = group.slm_calls,
                .tokens = {.prompt = each.prompt * count, .completion = each.completion * count},
                .busy_us = group.slm_busy_us});
  }
}

}  // namespace understudy::s6
