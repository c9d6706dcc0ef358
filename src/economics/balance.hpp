// Whether small models pay: what the LLM was spared, against what they cost: the machine at how
// busy it is, calls that were paid twice (asked of the small model, then of the LLM), audits,
// training. Pure. Formulas stand at the fields.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"
#include "economics/savings.hpp"

namespace understudy::economics {

struct BalanceInputs {
  Savings savings;  // clients' calls; its machine_cost is that of the accepted calls, fully busy
  std::int64_t fallbacks = 0;  // asked of a small model and answered by the LLM after all
  double fallback_busy_s = 0;  // of the small models, for nothing
  std::int64_t audits = 0;     // accepted calls that the LLM was asked too
  MicroUsd audit_cost;         // paid for them
  double training_s = 0;       // of all models that were made
  double machine_usd_per_hour = 0;
  double days = 0;  // that the calls cover
  // Success of the LLM's calls where someone said so (feedback, rewards): the mean, 0..1.
  std::optional<double> llm_success;
  // Of the small models' kept calls, as evaluation measured it on unseen calls; 0..1.
  std::optional<double> agreement;
  // A cheaper API model that the user named: what it would cost on all these tokens.
  std::string cheaper_model;
  std::optional<MicroUsd> cheaper_cost;
};

enum class Saving {
  nothing_live,     // no call was answered by a small model
  not_known,        // no price for the LLM
  saves,            // also with a machine that is busy a fifth of the time
  saves_when_busy,  // only with a machine that is busy all the time
  no_saving,
};
std::string_view to_string(Saving saving);

struct Balance {
  struct At {
    double utilisation = 1;  // share of the paid hours in which the machine answers
    MicroUsd machine;        // (busy + fallback busy) / utilisation * price
    MicroUsd net;            // avoided - machine - audits
    MicroUsd per_success;    // (machine + audits) / (accepted calls * success of the small models)
  };
  std::array<At, 3> at;                      // 20 %, 50 %, 100 %
  MicroUsd fallback_machine;                 // part of `machine` at 100 %
  MicroUsd training;                         // once
  MicroUsd llm_per_success;                  // LLM cost per call / its success
  std::optional<MicroUsd> cheaper_per_call;  // its success is not known here
  double llm_success = 1;                    // 1 where nobody said so: every answer counts as one
  bool success_is_measured = false;
  double slm_success = 1;  // the LLM's * agreement: a different answer counts as a failure
  std::optional<double> payback_days;  // training / net a day, at 20 %; nothing: never
  Saving saving = Saving::nothing_live;
  std::string verdict;  // one sentence for people
};

Balance balance(const BalanceInputs& inputs);

}  // namespace understudy::economics
