#include "economics/balance.hpp"

#include <gtest/gtest.h>

namespace understudy::economics {
namespace {

// A thousand calls by each, the LLM's at a cent; the machine was busy for an hour at 36 cents.
BalanceInputs inputs() {
  BalanceInputs made;
  made.savings.llm_calls = made.savings.slm_calls = made.savings.llm_priced_calls = 1000;
  made.savings.llm_cost = made.savings.avoided = {10e6};
  made.savings.machine_cost = {0.36e6};
  made.machine_usd_per_hour = 0.36;
  made.days = 10;
  return made;
}

TEST(Balance, AMachineThatIsIdleMostOfTheTimeIsPaidForIdling) {
  const Balance result = balance(inputs());
  EXPECT_DOUBLE_EQ(result.at[0].utilisation, 0.2);
  EXPECT_DOUBLE_EQ(result.at[0].machine.value, 1.8e6);
  EXPECT_DOUBLE_EQ(result.at[0].net.value, 8.2e6);
  EXPECT_DOUBLE_EQ(result.at[1].machine.value, 0.72e6);
  EXPECT_DOUBLE_EQ(result.at[2].net.value, 9.64e6);
  EXPECT_EQ(result.saving, Saving::saves);
}

TEST(Balance, FallbacksAreMachineTimeForNothingAndAuditsArePaid) {
  BalanceInputs with = inputs();
  with.fallbacks = 500;
  with.fallback_busy_s = 3600;
  with.audits = 20;
  with.audit_cost = {0.2e6};
  const Balance result = balance(with);
  EXPECT_DOUBLE_EQ(result.fallback_machine.value, 0.36e6);
  EXPECT_DOUBLE_EQ(result.at[2].machine.value, 0.72e6);
  EXPECT_DOUBLE_EQ(result.at[2].net.value, 10e6 - 0.72e6 - 0.2e6);
}

TEST(Balance, ASuccessfulCallCostsMoreThanACall) {
  BalanceInputs with = inputs();
  with.llm_success = 0.5;
  with.agreement = 0.8;
  const Balance result = balance(with);
  EXPECT_DOUBLE_EQ(result.llm_per_success.value, 20'000);
  EXPECT_DOUBLE_EQ(result.slm_success, 0.4);
  EXPECT_DOUBLE_EQ(result.at[2].per_success.value, 0.36e6 / 400);
  EXPECT_TRUE(result.success_is_measured);
  EXPECT_FALSE(balance(inputs()).success_is_measured);
}

TEST(Balance, TrainingIsPaidBackByWhatIsSavedADay) {
  BalanceInputs with = inputs();
  with.training_s = 36'000;  // 3.60 dollars; 0.82 a day are saved
  ASSERT_TRUE(balance(with).payback_days);
  EXPECT_NEAR(*balance(with).payback_days, 3.6 / 0.82, 1e-9);
}

TEST(Balance, SaysSoWhereNothingIsSaved) {
  BalanceInputs with = inputs();
  with.audit_cost = {11e6};
  EXPECT_EQ(balance(with).saving, Saving::no_saving);
  EXPECT_FALSE(balance(with).payback_days);
  EXPECT_NE(balance(with).verdict.find("No saving"), std::string::npos);
  with = inputs();
  with.savings.machine_cost = {5e6};
  EXPECT_EQ(balance(with).saving, Saving::saves_when_busy);
  with = inputs();
  with.savings.avoided = {0};
  with.savings.unpriced_calls = 1000;
  EXPECT_EQ(balance(with).saving, Saving::not_known);
  EXPECT_EQ(balance({}).saving, Saving::nothing_live);
}

}  // namespace
}  // namespace understudy::economics
