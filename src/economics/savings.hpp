// Who answered how many calls, with how many tokens, for how much money, and what the LLM would
// have cost where a small model answered. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/units.hpp"
#include "economics/price_table.hpp"

namespace understudy::economics {

struct Tokens {
  double prompt = 0;
  double completion = 0;
  [[nodiscard]] double all() const { return prompt + completion; }
};

struct Savings {
  std::int64_t llm_calls = 0;
  std::int64_t slm_calls = 0;
  double llm_tokens = 0;  // by the LLM's count
  double slm_tokens = 0;  // what the LLM would have counted for the calls of the small models
  Tokens tokens;          // both together
  MicroUsd llm_cost;      // paid
  MicroUsd avoided;       // what the LLM would have cost on the calls of the small models
  MicroUsd machine_cost;  // time that small models were busy, at the machine's price
  std::int64_t llm_priced_calls = 0;
  std::int64_t unpriced_calls = 0;  // of models without a price; their money counts as 0

  // Shares of what all calls together have, or would have without small models; 0 of nothing.
  [[nodiscard]] double share_of_calls() const;
  [[nodiscard]] double share_of_tokens() const;
  [[nodiscard]] double share_of_cost() const;
  [[nodiscard]] MicroUsd saved() const { return {avoided.value - machine_cost.value}; }
  [[nodiscard]] MicroUsd llm_cost_per_call() const;  // over the priced calls of the LLM
};

class Ledger {
 public:
  explicit Ledger(const PriceTable& prices) : prices_(prices) {}

  // Calls of one model, their tokens summed.
  void add_llm_calls(const std::string& model, std::int64_t calls, Tokens tokens);
  // Calls that a small model answered: `instead_of` is the model that was asked for, `tokens` what
  // it would have read and written.
  struct SlmCalls {
    std::int64_t calls = 0;
    Tokens tokens = {};
    std::int64_t busy_us = 0;
  };
  void add_slm_calls(const std::string& instead_of, const SlmCalls& answered);
  [[nodiscard]] const Savings& savings() const { return savings_; }
  [[nodiscard]] const std::map<std::string, std::int64_t>& unpriced_models() const {
    return unpriced_;
  }

 private:
  const PriceTable& prices_;
  Savings savings_;
  std::map<std::string, std::int64_t> unpriced_;  // calls by model
};

}  // namespace understudy::economics
