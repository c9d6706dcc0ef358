// The LLM APIs of one configuration, and which of them serve a model. Immutable but for what each
// upstream learns about its own health. A reload makes a new set and keeps the upstreams that did
// not change, with their connections and their health. Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/net/upstream.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "live/config/gateway_config.hpp"
#include "live/upstreams/breaker.hpp"

namespace understudy::live {

class NamedUpstream {
 public:
  NamedUpstream(UpstreamConfig described, BreakerConfig limits,
                std::unique_ptr<net::Upstream> opened, SecretText secret)
      : config(std::move(described)),
        connection(std::move(opened)),
        key(std::move(secret)),
        breaker(limits) {}

  const UpstreamConfig config;
  const std::unique_ptr<net::Upstream> connection;
  const SecretText key;  // empty: the client's own is passed on
  Breaker breaker;

  // An upstream that said Retry-After for a model (limits are per model) is asked last until then.
  // Never shortens what was said before; of too many models the first ones are remembered.
  void cool(std::string_view model, Breaker::Clock::time_point until);
  [[nodiscard]] bool cools(std::string_view model, Breaker::Clock::time_point now) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Breaker::Clock::time_point, std::less<>> cool_until_;
  std::atomic<bool> anything_cools_{false};  // the usual answer, without the lock
};

// Both live as long as the set: a call under way keeps that when a reload makes another.
struct Target {
  NamedUpstream* upstream = nullptr;
  std::string_view model;  // empty: the model that was asked for
};

class UpstreamSet {
 public:
  // `before`: of the configuration in force until now, or nothing.
  static Result<std::unique_ptr<UpstreamSet>> create(const GatewayConfig& config,
                                                     const UpstreamSet* before);

  // In the order of preference. A model that the configuration does not name goes to the first
  // upstream that speaks the client's protocol.
  [[nodiscard]] std::vector<Target> targets(std::string_view model, Protocol client) const;
  // The model to try where a prompt is too long for `model`; empty: none.
  [[nodiscard]] std::string_view larger(std::string_view model) const;
  [[nodiscard]] std::span<const std::shared_ptr<NamedUpstream>> upstreams() const {
    return upstreams_;
  }

 private:
  explicit UpstreamSet(const GatewayConfig& config) : config_(config) {}

  GatewayConfig config_;
  std::vector<std::shared_ptr<NamedUpstream>> upstreams_;  // in the order of config_.upstreams
};

// Name, URL, state of the breaker, for the admin's eyes.
json::value to_json(const UpstreamSet& set);

}  // namespace understudy::live
