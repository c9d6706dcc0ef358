// Virtual keys at request time: who is this, may they ask this model now, and what does it cost
// them. Looked up in memory by the hash of the secret; a change of HOME/access.json is in force
// within limits::access_poll_interval_ms. Money and tokens are reserved by an estimate when a call
// is admitted, and settled by what it really used.
// Owner: the gateway. Thread-safe; admit() and settle() cost about a microsecond and never touch
// the disk: one background thread reads access.json and writes HOME/spend.json.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store/access_store.hpp"
#include "adapters/store/home.hpp"
#include "adapters/store/spend.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "economics/price_table.hpp"
#include "records/access.hpp"
#include "records/call.hpp"

namespace understudy::live {

using store::NanoUsd;

struct KeyEntry;  // one key of the list with its counters

// The right to make one call. Either settle() it, or drop it: then what was reserved is released.
// May outlive a reload of the list, not the Access. Move-only.
class Grant {
 public:
  Grant() = default;  // anonymous: nobody's limits
  Grant(Grant&& other) noexcept;
  Grant& operator=(Grant&& other) noexcept;
  ~Grant();

  // A call without a virtual key: its own credentials may be passed on to the upstream. With one
  // they never are.
  [[nodiscard]] bool anonymous() const { return key_ == nullptr; }
  [[nodiscard]] std::string_view key_name() const;  // empty: anonymous
  [[nodiscard]] std::string_view tenant() const;
  [[nodiscard]] bool human_facing() const;
  // Its key is for some models, tokens or money only: what cannot be counted is not for it.
  [[nodiscard]] bool counts_use() const;

 private:
  friend class Access;
  void release() noexcept;

  std::shared_ptr<const KeyEntry> key_;  // shared: the list may be reloaded meanwhile
  std::int64_t reserved_tokens_ = 0;
  NanoUsd reserved_nano_ = 0;
};

// Of a limit per minute, for x-ratelimit-* headers.
struct RateState {
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  std::int64_t reset_us = 0;  // until it is full again
};

struct Refusal {
  unsigned status = 401;
  std::string type;          // "invalid_request_error", "requests", "tokens", "insufficient_quota"
  std::string code;          // "invalid_api_key", "model_not_allowed", "rate_limit_exceeded", ...
  std::string message = {};  // for the caller; holds no secret
  std::optional<std::int64_t> retry_after_s = {};
  bool worth_retrying = false;  // false: answer with "x-should-retry: false", SDKs heed it
};

struct AccessDecision {
  std::optional<Refusal> refusal;  // nothing: granted
  Grant grant;
  std::optional<RateState> requests;  // where the key has such a limit
  std::optional<RateState> tokens;
};

struct CallIntent {
  std::string_view secret = {};        // see secret_of(); may be empty
  std::string_view model = {};         // as asked for; empty: the path has none
  std::string_view priced_model = {};  // as the upstream calls it; empty: the same
  std::int64_t prompt_tokens = 0;      // estimates
  std::int64_t completion_tokens = 0;
};

struct TokenHolder {
  std::string name;
  AccessRole role = AccessRole::auditor;
};

struct AccessOptions {
  bool required = false;  // a call without a virtual key is refused
  bool signed_only = false;
  std::function<UnixMicros()> clock = now;
};

class Access {
 public:
  // Fails where access.json, spend.json or prices.toml are there and broken.
  static Result<std::unique_ptr<Access>> open(const store::Home& home, AccessOptions options);
  ~Access();  // writes spend.json
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  // Before the request's body is read: is the caller anybody? Takes nothing from any limit.
  [[nodiscard]] std::optional<Refusal> check(std::string_view secret) const;
  [[nodiscard]] AccessDecision admit(const CallIntent& intent);
  // Ends the grant: the reservation is replaced by what was used. Call it for partial answers, too.
  void settle(Grant& grant, const Usage& usage, MicroUsd cost);
  // By HOME/prices.toml and the built-in prices; nothing for a model without a price.
  [[nodiscard]] std::optional<MicroUsd> cost_of(std::string_view model, const Usage& usage) const;

  // Whose admin API token this is, if it is in force. Takes the same time for all wrong ones.
  [[nodiscard]] std::optional<TokenHolder> holder_of(std::string_view token) const;
  // How access.json is to be changed under these options.
  [[nodiscard]] store::SignatureRule signature_rule() const;

  void require_keys(bool required);  // after a reload of the configuration
  // Reads access.json and prices.toml now. What is refused leaves the old list in force.
  Status reload();
  // Each key with limits and spending, without hashes: for GET /admin/keys.
  [[nodiscard]] json::value describe_keys() const;
  // Writes what was spent; the background thread does so by itself.
  Status flush();

 private:
  struct State;
  explicit Access(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The caller's secret from "Authorization: Bearer ..." (openai) or "x-api-key" (anthropic).
std::string_view secret_of(std::string_view authorization, std::string_view api_key);

}  // namespace understudy::live
