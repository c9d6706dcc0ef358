#include "live/access/limit_headers.hpp"

#include "base/clock.hpp"

namespace understudy::live {

namespace {

struct Names {
  std::string_view limit;
  std::string_view remaining;
  std::string_view reset;
};

constexpr Names openai_requests = {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
                                   "x-ratelimit-reset-requests"};
constexpr Names openai_tokens = {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
                                 "x-ratelimit-reset-tokens"};
constexpr Names anthropic_requests = {"anthropic-ratelimit-requests-limit",
                                      "anthropic-ratelimit-requests-remaining",
                                      "anthropic-ratelimit-requests-reset"};
constexpr Names anthropic_tokens = {"anthropic-ratelimit-tokens-limit",
                                    "anthropic-ratelimit-tokens-remaining",
                                    "anthropic-ratelimit-tokens-reset"};

}  // namespace

std::string to_reset_text(std::int64_t us) {
  const std::int64_t ms = (us + 999) / 1000;
  if (ms < 1000) return std::to_string(ms) + "ms";
  const std::int64_t seconds = (ms + 999) / 1000;
  if (seconds < 60) return std::to_string(seconds) + "s";
  return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
}

std::vector<std::pair<std::string_view, std::string>> limit_headers(const AccessDecision& decision,
                                                                    Protocol client,
                                                                    UnixMicros time) {
  std::vector<std::pair<std::string_view, std::string>> headers;
  const auto add = [&](const std::optional<RateState>& state, const Names& openai,
                       const Names& anthropic) {
    if (!state) return;
    const Names& names = client == Protocol::openai ? openai : anthropic;
    headers.emplace_back(names.limit, std::to_string(state->limit));
    headers.emplace_back(names.remaining, std::to_string(state->remaining));
    headers.emplace_back(names.reset, client == Protocol::openai
                                          ? to_reset_text(state->reset_us)
                                          : to_iso8601({time.value + state->reset_us}));
  };
  add(decision.requests, openai_requests, anthropic_requests);
  add(decision.tokens, openai_tokens, anthropic_tokens);
  if (!decision.refusal) return headers;
  if (decision.refusal->retry_after_s)
    headers.emplace_back("Retry-After", std::to_string(*decision.refusal->retry_after_s));
  if (!decision.refusal->worth_retrying) headers.emplace_back("x-should-retry", "false");
  return headers;
}

}  // namespace understudy::live
