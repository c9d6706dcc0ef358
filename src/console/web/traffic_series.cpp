#include "console/web/traffic_series.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace understudy::console {

namespace {

constexpr std::size_t kept_buckets_max = 4096;
constexpr std::size_t models_shown_max = 24;
constexpr std::int64_t micros = 1'000'000;

// Widths that a person would choose, in seconds; the kept width is a minute times a power of two,
// so that a bar may gather a kept bucket more or less than its neighbours.
constexpr std::array<std::int64_t, 15> shown_widths_s = {
    60,     120,    300,    600,    900,     1'800,     3'600,     7'200,
    10'800, 21'600, 43'200, 86'400, 604'800, 2'592'000, 31'536'000};

// The narrowest of them, not below `least_s`, that covers `span_s` in at most `most` bars.
std::int64_t shown_width_s(std::int64_t span_s, std::int64_t least_s, std::int64_t most) {
  for (const std::int64_t width : shown_widths_s)
    if (width >= least_s && (span_s + width - 1) / width < most) return width;
  return std::max(least_s, span_s / std::max<std::int64_t>(most - 1, 1) + 1);
}

// Metadata's own text is short, but clients choose it.
constexpr std::size_t models_of_bucket_max = 64;

}  // namespace

void TrafficSeries::Bucket::add(const Bucket& other) {
  llm += other.llm;
  slm += other.slm;
  failed += other.failed;
  prompt_tokens += other.prompt_tokens;
  completion_tokens += other.completion_tokens;
  cost_usd += other.cost_usd;
  for (const auto& [task, calls] : other.slm_calls_of) slm_calls_of[task] += calls;
  for (const auto& [name, model] : other.models) {
    const bool room = models.contains(name) || models.size() < models_of_bucket_max;
    Model& mine = models[room ? name : std::pair(name.first, std::string("others"))];
    mine.calls += model.calls;
    mine.tokens += model.tokens;
    mine.cost_usd += model.cost_usd;
  }
}

double TrafficSeries::cost_of(const Call& call) const {
  if (call.cost_usd) return *call.cost_usd;
  if (call.route.server == Server::slm) return 0;
  auto price = prices_.find(call.served_model);
  if (!price) price = prices_.find(call.requested_model);
  if (!price) return 0;
  return price
             ->cost(static_cast<double>(call.usage.prompt_tokens),
                    static_cast<double>(call.usage.completion_tokens))
             .value /
         1e6;
}

void TrafficSeries::add(const Call& call) {
  if (!call.started_at.known()) return;
  const bool by_slm = call.route.server == Server::slm;
  const std::int64_t tokens = call.usage.prompt_tokens + call.usage.completion_tokens;
  Bucket one{.llm = by_slm ? 0 : 1,
             .slm = by_slm ? 1 : 0,
             .failed = call.status == CallStatus::ok ? 0 : 1,
             .prompt_tokens = call.usage.prompt_tokens,
             .completion_tokens = call.usage.completion_tokens,
             .cost_usd = cost_of(call),
             .slm_calls_of = {},
             .models = {}};
  if (by_slm) one.slm_calls_of[call.route.task] = 1;
  const std::string& model = call.served_model.empty() ? call.requested_model : call.served_model;
  one.models[{std::string(to_string(call.route.server)), model}] = {
      .calls = 1, .tokens = tokens, .cost_usd = one.cost_usd};
  buckets_[call.started_at.value / micros / width_s_].add(one);
  if (buckets_.size() > kept_buckets_max) widen();
}

void TrafficSeries::widen() {
  std::map<std::int64_t, Bucket> wider;
  for (const auto& [at, bucket] : buckets_) wider[at / 2].add(bucket);
  width_s_ *= 2;
  buckets_ = std::move(wider);
}

json::value TrafficSeries::to_json(UnixMicros since, std::size_t buckets_max,
                                   const SavedPerCall& saved) const {
  const auto first = buckets_.lower_bound(since.value / micros / width_s_);
  json::array shown;
  std::int64_t width = width_s_;
  Bucket sum;
  if (first != buckets_.end()) {
    const std::int64_t begin_s = first->first * width_s_;
    const std::int64_t last_s = buckets_.rbegin()->first * width_s_;
    const auto most = static_cast<std::int64_t>(std::max<std::size_t>(buckets_max, 2));
    width = shown_width_s(last_s - begin_s + width_s_, width_s_, most);
    std::map<std::int64_t, Bucket> coarse;
    for (std::int64_t at = begin_s / width; at <= last_s / width; ++at) coarse[at];
    for (auto bucket = first; bucket != buckets_.end(); ++bucket) {
      coarse[bucket->first * width_s_ / width].add(bucket->second);
      sum.add(bucket->second);
    }
    for (const auto& [at, bucket] : coarse) {
      double saved_usd = 0;
      for (const auto& [task, calls] : bucket.slm_calls_of) {
        const auto each = saved.find(task);
        if (each != saved.end()) saved_usd += static_cast<double>(calls) * each->second;
      }
      shown.push_back(json::object{{"t", at * width},
                                   {"llm", bucket.llm},
                                   {"slm", bucket.slm},
                                   {"failed", bucket.failed},
                                   {"prompt_tokens", bucket.prompt_tokens},
                                   {"completion_tokens", bucket.completion_tokens},
                                   {"cost_usd", bucket.cost_usd},
                                   {"saved_usd", saved_usd}});
    }
  }
  std::vector<std::pair<std::pair<std::string, std::string>, Model>> models(sum.models.begin(),
                                                                            sum.models.end());
  std::ranges::stable_sort(models, std::greater<>(),
                           [](const auto& model) { return model.second.calls; });
  json::array listed;
  for (const auto& [name, model] : models) {
    if (listed.size() == models_shown_max) break;
    listed.push_back(json::object{{"server", name.first},
                                  {"model", name.second},
                                  {"calls", model.calls},
                                  {"tokens", model.tokens},
                                  {"cost_usd", model.cost_usd}});
  }
  return json::object{{"width_s", width},
                      {"calls", sum.llm + sum.slm},
                      {"slm_calls", sum.slm},
                      {"failed", sum.failed},
                      {"prompt_tokens", sum.prompt_tokens},
                      {"completion_tokens", sum.completion_tokens},
                      {"cost_usd", sum.cost_usd},
                      {"buckets", std::move(shown)},
                      {"models", std::move(listed)}};
}

}  // namespace understudy::console
