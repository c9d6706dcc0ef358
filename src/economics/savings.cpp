#include "economics/savings.hpp"

namespace understudy::economics {

namespace {

constexpr double us_per_hour = 3.6e9;
constexpr double micro = 1e6;

double share(double part, double rest) { return part + rest > 0 ? part / (part + rest) : 0; }

}  // namespace

double Savings::share_of_calls() const {
  return share(static_cast<double>(slm_calls), static_cast<double>(llm_calls));
}

double Savings::share_of_tokens() const { return share(slm_tokens, llm_tokens); }

double Savings::share_of_cost() const { return share(avoided.value, llm_cost.value); }

MicroUsd Savings::llm_cost_per_call() const {
  return {llm_priced_calls == 0 ? 0 : llm_cost.value / static_cast<double>(llm_priced_calls)};
}

void Ledger::add_llm_calls(const std::string& model, std::int64_t calls, Tokens tokens) {
  savings_.llm_calls += calls;
  savings_.llm_tokens += tokens.all();
  savings_.tokens.prompt += tokens.prompt;
  savings_.tokens.completion += tokens.completion;
  if (const auto price = prices_.find(model)) {
    savings_.llm_cost += price->cost(tokens.prompt, tokens.completion);
    savings_.llm_priced_calls += calls;
    return;
  }
  savings_.unpriced_calls += calls;
  unpriced_[model] += calls;
}

void Ledger::add_slm_calls(const std::string& instead_of, const SlmCalls& answered) {
  savings_.slm_calls += answered.calls;
  savings_.slm_tokens += answered.tokens.all();
  savings_.tokens.prompt += answered.tokens.prompt;
  savings_.tokens.completion += answered.tokens.completion;
  savings_.machine_cost += MicroUsd{prices_.machine_usd_per_hour() * micro *
                                    static_cast<double>(answered.busy_us) / us_per_hour};
  if (const auto price = prices_.find(instead_of)) {
    savings_.avoided += price->cost(answered.tokens.prompt, answered.tokens.completion);
    return;
  }
  savings_.unpriced_calls += answered.calls;
  unpriced_[instead_of] += answered.calls;
}

}  // namespace understudy::economics
