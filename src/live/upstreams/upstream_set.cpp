#include "live/upstreams/upstream_set.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace understudy::live {

void NamedUpstream::cool(std::string_view model, Breaker::Clock::time_point until) {
  const std::scoped_lock lock(mutex_);
  const auto now = Breaker::Clock::now();
  std::erase_if(cool_until_, [now](const auto& entry) { return entry.second <= now; });
  if (cool_until_.size() < limits::models_max || cool_until_.contains(model)) {
    auto& known = cool_until_[std::string(model)];
    known = std::max(known, until);
  }
  anything_cools_ = true;
}

bool NamedUpstream::cools(std::string_view model, Breaker::Clock::time_point now) const {
  if (!anything_cools_.load(std::memory_order_relaxed)) return false;
  const std::scoped_lock lock(mutex_);
  const auto found = cool_until_.find(model);
  return found != cool_until_.end() && found->second > now;
}

Result<std::unique_ptr<UpstreamSet>> UpstreamSet::create(const GatewayConfig& config,
                                                         const UpstreamSet* before) {
  std::unique_ptr<UpstreamSet> set(new UpstreamSet(config));
  for (const UpstreamConfig& upstream : config.upstreams) {
    SecretText key = TRY(upstream_key(upstream));
    std::shared_ptr<NamedUpstream> kept;
    if (before != nullptr) {
      for (const auto& known : before->upstreams_) {
        if (known->config == upstream && known->key.reveal() == key.reveal()) kept = known;
      }
    }
    if (!kept) {
      auto connection = TRY(net::Upstream::create(upstream.url, {.ca_file = upstream.ca_file}));
      kept = std::make_shared<NamedUpstream>(upstream, config.breaker, std::move(connection),
                                             std::move(key));
    }
    set->upstreams_.push_back(std::move(kept));
  }
  return set;
}

std::vector<Target> UpstreamSet::targets(std::string_view model, Protocol client) const {
  const ModelConfig* found = config_.find_model(model);
  if (found == nullptr)
    return {{.upstream = upstreams_[config_.default_target(client)].get(), .model = {}}};
  std::vector<Target> targets;
  targets.reserve(found->targets.size());
  for (const ModelTarget& target : found->targets)
    targets.push_back({.upstream = upstreams_[target.upstream].get(), .model = target.model});
  return targets;
}

std::string_view UpstreamSet::larger(std::string_view model) const {
  const ModelConfig* found = config_.find_model(model);
  return found != nullptr ? std::string_view(found->larger) : std::string_view();
}

json::value to_json(const UpstreamSet& set) {
  const auto now = Breaker::Clock::now();
  json::array list;
  for (const auto& upstream : set.upstreams()) {
    list.push_back(json::object{{"name", upstream->config.name},
                                {"url", upstream->config.url},
                                {"breaker", to_string(upstream->breaker.state(now))},
                                {"opens_in_ms", upstream->breaker.opens_in(now).count()}});
  }
  return list;
}

}  // namespace understudy::live
