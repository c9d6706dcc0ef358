#include "live/upstreams/upstream_set.hpp"

namespace understudy::live {

void NamedUpstream::cool_until(Breaker::Clock::time_point time) {
  const Breaker::Clock::rep wanted = time.time_since_epoch().count();
  Breaker::Clock::rep known = cool_until_.load(std::memory_order_relaxed);
  while (known < wanted && !cool_until_.compare_exchange_weak(known, wanted)) {
  }
}

std::chrono::milliseconds NamedUpstream::cools_for(Breaker::Clock::time_point now) const {
  const Breaker::Clock::duration until(cool_until_.load(std::memory_order_relaxed));
  const auto left = until - now.time_since_epoch();
  if (left <= Breaker::Clock::duration::zero()) return std::chrono::milliseconds(0);
  return std::chrono::ceil<std::chrono::milliseconds>(left);
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
  if (found == nullptr) return {{.upstream = upstreams_[config_.default_target(client)], .model = {}}};
  std::vector<Target> targets;
  for (const ModelTarget& target : found->targets)
    targets.push_back({.upstream = upstreams_[target.upstream], .model = target.model});
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
                                {"opens_in_ms", upstream->breaker.opens_in(now).count()},
                                {"cools_for_ms", upstream->cools_for(now).count()}});
  }
  return list;
}

}  // namespace understudy::live
