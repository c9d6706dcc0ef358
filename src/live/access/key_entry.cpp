#include "live/access/key_entry.hpp"

#include <algorithm>
#include <format>

namespace understudy::live {

namespace {

constexpr std::int64_t second_us = 1'000'000;

std::int64_t whole_seconds(std::int64_t us) {
  return std::max<std::int64_t>(1, (us + second_us - 1) / second_us);
}

RateState state_of(const MinuteBucket& bucket, std::int64_t limit) {
  return {.limit = limit,
          .remaining = bucket.remaining(),
          .reset_us = limit > 0 ? bucket.us_until(limit, limit) : 0};
}

Refusal over_rate(std::string_view what, std::int64_t limit, std::int64_t amount,
                  const MinuteBucket& bucket) {
  Refusal refusal{.status = 429, .type = std::string(what), .code = "rate_limit_exceeded"};
  if (amount > limit) {
    refusal.message = std::format(
        "Request too large: it needs about {} {}, and this key's limit is {} per minute.", amount,
        what, limit);
    return refusal;
  }
  refusal.retry_after_s = whole_seconds(bucket.us_until(amount, limit));
  refusal.worth_retrying = true;
  refusal.message = std::format("Rate limit reached: {} {} per minute. Try again in {} s.", limit,
                                what, *refusal.retry_after_s);
  return refusal;
}

bool may_use(const std::vector<std::string>& globs, std::string_view model) {
  if (globs.empty() || model.empty()) return true;
  return std::ranges::any_of(globs,
                             [&](const std::string& glob) { return matches_glob(glob, model); });
}

}  // namespace

bool KeyEntry::has_money_limit() const {
  return key.limits.usd_per_day || key.limits.usd_per_month || key.limits.budget_usd;
}

// The caller holds the lock, and has rolled the spending to `time`.
std::optional<Refusal> KeyEntry::money_refusal(NanoUsd more, UnixMicros time) const {
  const store::Spend& spend = counters->spend;
  const NanoUsd pending = counters->reserved + more;
  const auto refuse = [&](double limit, std::string_view period, std::optional<UnixMicros> until) {
    Refusal refusal{
        .status = 429,
        .type = "insufficient_quota",
        .code = "insufficient_quota",
        .message = std::format("This key's budget of {:g} USD {} is used up.", limit, period)};
    if (until) refusal.retry_after_s = whole_seconds(until->value - time.value);
    return refusal;
  };
  // Used up is also a budget that is spent to the last cent by free calls' standards: at the limit.
  const auto exceeds = [&](std::optional<double> limit, NanoUsd spent) {
    if (!limit) return false;
    const NanoUsd most = store::usd_to_nano(*limit);
    return spent >= most || spent + pending > most;
  };
  const KeyLimits& limits = key.limits;
  if (exceeds(limits.budget_usd, spend.total)) return refuse(*limits.budget_usd, "in total", {});
  if (exceeds(limits.usd_per_month, spend.month))
    return refuse(*limits.usd_per_month, "per month", store::next_month(time));
  if (exceeds(limits.usd_per_day, spend.day))
    return refuse(*limits.usd_per_day, "per day", store::next_day(time));
  return std::nullopt;
}

Reservation KeyEntry::reserve(const Demand& demand, UnixMicros time,
                              AccessDecision& decision) const {
  if (!may_use(key.limits.models, demand.model)) {
    decision.refusal = {
        .status = 403,
        .type = "invalid_request_error",
        .code = "model_not_allowed",
        .message = std::format("This key may not use the model '{}'.", demand.model)};
    return {};
  }
  if (has_money_limit() && !demand.model.empty() && !demand.cost) {
    decision.refusal = {
        .status = 403,
        .type = "invalid_request_error",
        .code = "model_without_price",
        .message = std::format("This key has a budget, and the model '{}' no price here. Ask the "
                               "gateway's operator to add one to prices.toml.",
                               demand.model)};
    return {};
  }
  const NanoUsd nano = demand.cost ? store::to_nano(*demand.cost) : 0;
  const std::scoped_lock lock(counters->mutex);
  counters->spend.roll(time);
  if (has_money_limit()) {
    decision.refusal = money_refusal(nano, time);
    if (decision.refusal) return {};
  }
  if (const auto limit = key.limits.requests_per_minute) {
    const bool taken = counters->requests.take(1, *limit, time);
    decision.requests = state_of(counters->requests, *limit);
    if (!taken) {
      decision.refusal = over_rate("requests", *limit, 1, counters->requests);
      return {};
    }
  }
  if (const auto limit = key.limits.tokens_per_minute) {
    const bool taken = counters->tokens.take(demand.tokens, *limit, time);
    decision.tokens = state_of(counters->tokens, *limit);
    if (!taken) {
      decision.refusal = over_rate("tokens", *limit, demand.tokens, counters->tokens);
      if (key.limits.requests_per_minute) counters->requests.give_back(1);
      return {};
    }
  }
  counters->reserved += nano;
  return {.tokens = demand.tokens, .nano = nano};
}

void KeyEntry::release(const Reservation& reservation) const {
  const std::scoped_lock lock(counters->mutex);
  counters->reserved -= reservation.nano;
  counters->tokens.give_back(reservation.tokens);
}

void KeyEntry::settle(const Reservation& reserved, const Reservation& used, UnixMicros time) const {
  const std::scoped_lock lock(counters->mutex);
  counters->reserved -= reserved.nano;
  counters->tokens.give_back(reserved.tokens - used.tokens);
  store::Spend& spend = counters->spend;
  spend.roll(time);
  spend.total += used.nano;
  spend.day += used.nano;
  spend.month += used.nano;
  spend.requests += 1;
  spend.tokens += used.tokens;
}

json::value KeyEntry::describe(UnixMicros time) const {
  json::value out = to_public_json(key);
  const std::scoped_lock lock(counters->mutex);
  counters->spend.roll(time);
  const store::Spend& spend = counters->spend;
  out.get_object()["spent"] = json::object{{"usd", store::to_usd(spend.total)},
                                           {"usd_today", store::to_usd(spend.day)},
                                           {"usd_this_month", store::to_usd(spend.month)},
                                           {"requests", spend.requests},
                                           {"tokens", spend.tokens}};
  return out;
}

}  // namespace understudy::live
