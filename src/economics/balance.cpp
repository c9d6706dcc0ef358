#include "economics/balance.hpp"

#include <algorithm>
#include <format>

namespace understudy::economics {

namespace {

constexpr double s_per_hour = 3600;
constexpr double micro = 1e6;
constexpr std::array<double, 3> utilisations = {0.2, 0.5, 1};

double per(double amount, double count) { return count > 0 ? amount / count : 0; }

std::string dollars(double micro_usd) { return std::format("${:.2f}", micro_usd / micro); }

std::string sentence(const Balance& result, const BalanceInputs& inputs) {
  const double worst = result.at.front().net.value - result.training.value;
  const double best = result.at.back().net.value - result.training.value;
  switch (result.saving) {
    case Saving::nothing_live: return "No call was answered by a small model: nothing is saved.";
    case Saving::not_known:
      return "What is saved is not known: the LLM's model has no price in prices.toml.";
    case Saving::saves:
      return std::format(
          "Saves {} so far, all costs counted, with a machine that is busy 20 % of "
          "its time ({} at 100 %).",
          dollars(worst), dollars(best));
    case Saving::saves_when_busy:
      return std::format(
          "Saves {} with a machine that is always busy, and loses {} with one that "
          "is busy 20 % of its time: it pays only on a machine that has other work.",
          dollars(best), dollars(-worst));
    case Saving::no_saving:
      return std::format(
          "No saving so far: {} avoided, {} spent on the machine, audits and "
          "training.{}",
          dollars(inputs.savings.avoided.value), dollars(inputs.savings.avoided.value - best),
          result.payback_days
              ? std::format(" At this rate it pays back in {:.0f} days.", *result.payback_days)
              : "");
  }
  return {};
}

}  // namespace

std::string_view to_string(Saving saving) {
  switch (saving) {
    case Saving::nothing_live: return "nothing_live";
    case Saving::not_known: return "not_known";
    case Saving::saves: return "saves";
    case Saving::saves_when_busy: return "saves_when_busy";
    case Saving::no_saving: return "no_saving";
  }
  return "not_known";
}

Balance balance(const BalanceInputs& inputs) {
  const Savings& savings = inputs.savings;
  const double usd_per_s = inputs.machine_usd_per_hour * micro / s_per_hour;
  Balance result;
  result.fallback_machine = {inputs.fallback_busy_s * usd_per_s};
  result.training = {inputs.training_s * usd_per_s};
  result.success_is_measured = inputs.llm_success.has_value();
  result.llm_success = std::clamp(inputs.llm_success.value_or(1), 0.0, 1.0);
  result.slm_success = result.llm_success * std::clamp(inputs.agreement.value_or(1), 0.0, 1.0);
  result.llm_per_success = {per(savings.llm_cost_per_call().value, result.llm_success)};
  if (inputs.cheaper_cost) {
    result.cheaper_per_call = MicroUsd{per(
        inputs.cheaper_cost->value, static_cast<double>(savings.llm_calls + savings.slm_calls))};
  }
  const double busy = savings.machine_cost.value + result.fallback_machine.value;
  const double successes = static_cast<double>(savings.slm_calls) * result.slm_success;
  for (std::size_t i = 0; i < utilisations.size(); ++i) {
    Balance::At& at = result.at[i];
    at.utilisation = utilisations[i];
    at.machine = {busy / utilisations[i]};
    at.net = {savings.avoided.value - at.machine.value - inputs.audit_cost.value};
    at.per_success = {per(at.machine.value + inputs.audit_cost.value, successes)};
  }
  const double net_a_day = per(result.at.front().net.value, inputs.days);
  if (net_a_day > 0) result.payback_days = result.training.value / net_a_day;
  if (savings.slm_calls == 0) {
    result.saving = Saving::nothing_live;
  } else if (savings.avoided.value <= 0) {
    result.saving = savings.unpriced_calls > 0 ? Saving::not_known : Saving::no_saving;
  } else if (result.at.front().net > result.training) {
    result.saving = Saving::saves;
  } else {
    result.saving =
        result.at.back().net > result.training ? Saving::saves_when_busy : Saving::no_saving;
  }
  result.verdict = sentence(result, inputs);
  return result;
}

}  // namespace understudy::economics
