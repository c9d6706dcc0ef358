#include "live/access/access.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "adapters/crypto/access_secret.hpp"
#include "adapters/crypto/keys.hpp"
#include "adapters/store/access_store.hpp"
#include "base/files.hpp"
#include "live/access/limit_headers.hpp"

namespace understudy::live {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t second_us = 1'000'000;

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    std::string name = (fs::temp_directory_path() / "understudy-access-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(store::Home::open(directory_).value());
  }
  ~AccessTest() override {
    access_.reset();
    fs::remove_all(directory_);
  }

  // Adds a key and gives its secret.
  std::string add(const std::string& name, KeyLimits limits = {}) {
    VirtualKey key;
    key.name = name;
    key.limits = std::move(limits);
    return add(std::move(key));
  }
  std::string add(VirtualKey key) {
    const auto secret = crypto::make_access_secret(crypto::virtual_key_prefix);
    key.hash = secret.hash;
    key.hint = secret.hint;
    EXPECT_TRUE(store::change_access(*home_, store::SignatureRule::optional, [&](AccessList& list) {
      list.keys.push_back(key);
      return Status{};
    }));
    return secret.text.reveal();
  }

  Access& open(bool required = true) {
    access_.reset();  // it writes what was spent
    auto opened = Access::open(
        *home_, {.required = required, .clock = [this] { return UnixMicros{time_us_.load()}; }});
    EXPECT_TRUE(opened.has_value()) << opened.error().to_text();
    access_ = std::move(*opened);
    return *access_;
  }

  static AccessDecision ask(Access& access, const std::string& secret, std::int64_t tokens = 10) {
    return access.admit({.secret = secret, .model = "gpt-4o", .prompt_tokens = tokens});
  }

  fs::path directory_;
  std::optional<store::Home> home_;
  std::atomic<std::int64_t> time_us_ = 1'790'000'000LL * second_us;  // 2026-09-21 14:13:20 UTC
  std::unique_ptr<Access> access_;
};

TEST_F(AccessTest, AdmitsAKeyAndSaysWhoseItIs) {
  VirtualKey key;
  key.name = "agents";
  key.tenant = "acme";
  key.human_facing = true;
  const std::string secret = add(std::move(key));
  const AccessDecision decision = ask(open(), secret);
  ASSERT_FALSE(decision.refusal);
  EXPECT_EQ(decision.grant.key_name(), "agents");
  EXPECT_EQ(decision.grant.tenant(), "acme");
  EXPECT_TRUE(decision.grant.human_facing());
  EXPECT_FALSE(decision.grant.anonymous());
}

TEST_F(AccessTest, RefusesWhatIsNoKeyOfThisGateway) {
  const std::string secret = add("agents");
  Access& access = open();
  std::string near = secret;
  near.back() = near.back() == 'A' ? 'B' : 'A';
  for (const std::string& wrong :
       {std::string(), std::string("sk-other"), near, secret + "x", secret.substr(0, 20)}) {
    const AccessDecision decision = ask(access, wrong);
    ASSERT_TRUE(decision.refusal) << wrong;
    EXPECT_EQ(decision.refusal->status, 401U);
    EXPECT_EQ(decision.refusal->code, "invalid_api_key");
    EXPECT_FALSE(decision.refusal->worth_retrying);
    EXPECT_TRUE(decision.grant.anonymous());
    if (wrong.empty()) continue;
    EXPECT_THAT(decision.refusal->message, Not(HasSubstr(wrong)));
  }
}

TEST_F(AccessTest, WithoutTheNeedForKeysOthersPassAsNobodyButWrongKeysDoNot) {
  const std::string secret = add("agents");
  Access& access = open(false);
  EXPECT_FALSE(ask(access, "").refusal);
  EXPECT_TRUE(ask(access, "sk-other").grant.anonymous());
  EXPECT_EQ(ask(access, secret).grant.key_name(), "agents");
  EXPECT_TRUE(ask(access, "us-wrong").refusal);
  access.require_keys(true);
  EXPECT_TRUE(ask(access, "").refusal);
}

TEST_F(AccessTest, KeysEndWhenTheyExpireOrAreRevoked) {
  VirtualKey key;
  key.name = "short";
  key.expires_at = {time_us_ + 5 * second_us};
  const std::string secret = add(std::move(key));
  Access& access = open();
  EXPECT_FALSE(ask(access, secret).refusal);
  time_us_ += 5 * second_us;
  EXPECT_THAT(ask(access, secret).refusal->message, HasSubstr("expired"));

  const std::string other = add("other");
  ASSERT_TRUE(access.reload());
  EXPECT_FALSE(ask(access, other).refusal);
  ASSERT_TRUE(store::change_access(*home_, store::SignatureRule::optional, [&](AccessList& list) {
    list.find_key("other")->revoked_at = {1};
    return Status{};
  }));
  ASSERT_TRUE(access.reload());
  EXPECT_THAT(ask(access, other).refusal->message, HasSubstr("revoked"));
}

TEST_F(AccessTest, HoldsAKeyToItsModels) {
  const std::string secret = add("agents", {.models = {"gpt-4o*", "claude-haiku-4-5"}});
  Access& access = open();
  EXPECT_FALSE(access.admit({.secret = secret, .model = "gpt-4o-mini"}).refusal);
  EXPECT_FALSE(access.admit({.secret = secret, .model = ""}).refusal);  // GET /v1/models
  const AccessDecision decision = access.admit({.secret = secret, .model = "o3"});
  ASSERT_TRUE(decision.refusal);
  EXPECT_EQ(decision.refusal->status, 403U);
  EXPECT_EQ(decision.refusal->code, "model_not_allowed");
}

TEST_F(AccessTest, LimitsRequestsPerMinuteAndSaysWhenToComeBack) {
  const std::string secret = add("agents", {.requests_per_minute = 6});
  Access& access = open();
  for (int i = 0; i < 6; ++i) {
    AccessDecision decision = ask(access, secret);
    ASSERT_FALSE(decision.refusal) << i;
    EXPECT_EQ(decision.requests->limit, 6);
    EXPECT_EQ(decision.requests->remaining, 5 - i);
    access.settle(decision.grant, {}, {});
  }
  const AccessDecision refused = ask(access, secret);
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->status, 429U);
  EXPECT_EQ(refused.refusal->retry_after_s, 10);
  EXPECT_TRUE(refused.refusal->worth_retrying);
  time_us_ += 10 * second_us;
  EXPECT_FALSE(ask(access, secret).refusal);
  EXPECT_TRUE(ask(access, secret).refusal);
}

TEST_F(AccessTest, AClockThatGoesBackLocksNobodyOut) {
  const std::string secret = add("agents", {.requests_per_minute = 60});
  Access& access = open();
  for (int i = 0; i < 60; ++i) (void)ask(access, secret);
  ASSERT_TRUE(ask(access, secret).refusal);
  time_us_ -= 3600 * second_us;
  ASSERT_TRUE(ask(access, secret).refusal);
  time_us_ += second_us;
  EXPECT_FALSE(ask(access, secret).refusal);
}

TEST_F(AccessTest, SettlesTokensByWhatWasUsed) {
  const std::string secret = add("agents", {.tokens_per_minute = 100});
  Access& access = open();
  AccessDecision first = ask(access, secret, 80);
  ASSERT_FALSE(first.refusal);
  EXPECT_EQ(first.tokens->remaining, 20);
  EXPECT_TRUE(ask(access, secret, 30).refusal);  // reserved
  access.settle(first.grant, {.prompt_tokens = 40, .completion_tokens = 10}, {});
  const AccessDecision second = ask(access, secret, 30);
  ASSERT_FALSE(second.refusal);
  EXPECT_EQ(second.tokens->remaining, 20);
}

TEST_F(AccessTest, UsingMoreThanReservedIsPaidByTheNextCalls) {
  const std::string secret = add("agents", {.tokens_per_minute = 60});
  Access& access = open();
  AccessDecision first = ask(access, secret, 10);
  access.settle(first.grant, {.prompt_tokens = 10, .completion_tokens = 110}, {});
  const AccessDecision second = ask(access, secret, 1);
  ASSERT_TRUE(second.refusal);
  EXPECT_EQ(second.refusal->retry_after_s, 61);  // 60 below zero, one a second
}

TEST_F(AccessTest, ACallThatNeverFitsIsNotWorthRetrying) {
  const std::string secret = add("agents", {.tokens_per_minute = 100});
  const AccessDecision decision = ask(open(), secret, 101);
  ASSERT_TRUE(decision.refusal);
  EXPECT_FALSE(decision.refusal->worth_retrying);
  EXPECT_FALSE(decision.refusal->retry_after_s);
}

TEST_F(AccessTest, ADroppedGrantGivesItsReservationBack) {
  const std::string secret = add("agents", {.tokens_per_minute = 100, .budget_usd = 0.001});
  Access& access = open();
  for (int i = 0; i < 50; ++i) {
    const AccessDecision decision = ask(access, secret, 100);
    ASSERT_FALSE(decision.refusal) << i << decision.refusal->message;
  }
}

TEST_F(AccessTest, ReservesMoneySoThatParallelCallsCannotOverspend) {
  // gpt-4o costs 2.5 micro-dollars a prompt token: 100 tokens are 250.
  const std::string secret = add("agents", {.budget_usd = 0.0006});
  Access& access = open();
  AccessDecision first = ask(access, secret, 100);
  AccessDecision second = ask(access, secret, 100);
  EXPECT_FALSE(first.refusal);
  EXPECT_FALSE(second.refusal);
  const AccessDecision third = ask(access, secret, 100);
  ASSERT_TRUE(third.refusal);
  EXPECT_EQ(third.refusal->type, "insufficient_quota");
  EXPECT_FALSE(third.refusal->worth_retrying);
  access.settle(first.grant, {.prompt_tokens = 40}, {100});
  EXPECT_FALSE(ask(access, secret, 100).refusal);
}

TEST_F(AccessTest, DailyMoneyComesBackAtMidnight) {
  const std::string secret = add("agents", {.usd_per_day = 0.001});
  Access& access = open();
  AccessDecision first = ask(access, secret, 100);
  access.settle(first.grant, {.prompt_tokens = 100}, {1000});
  const AccessDecision refused = ask(access, secret, 1);
  ASSERT_TRUE(refused.refusal);
  const std::int64_t until_midnight = (24 * 3600 - (14 * 3600 + 13 * 60 + 20));
  EXPECT_EQ(refused.refusal->retry_after_s, until_midnight);
  time_us_ += until_midnight * second_us;
  EXPECT_FALSE(ask(access, secret, 1).refusal);
}

TEST_F(AccessTest, MonthlyMoneyComesBackWithTheMonth) {
  const std::string secret = add("agents", {.usd_per_month = 0.001});
  Access& access = open();
  AccessDecision first = ask(access, secret, 100);
  access.settle(first.grant, {.prompt_tokens = 100}, {1000});
  time_us_ += 9 * 24 * 3600 * second_us;  // 30 September
  ASSERT_TRUE(ask(access, secret, 1).refusal);
  time_us_ += 24 * 3600 * second_us;
  EXPECT_FALSE(ask(access, secret, 1).refusal);
}

TEST_F(AccessTest, ABudgetRefusesModelsWithoutAPrice) {
  const std::string secret = add("agents", {.budget_usd = 1.0});
  Access& access = open();
  const AccessDecision decision = access.admit({.secret = secret, .model = "in-house"});
  ASSERT_TRUE(decision.refusal);
  EXPECT_EQ(decision.refusal->code, "model_without_price");
  // The upstream's name for it has one.
  EXPECT_FALSE(
      access.admit({.secret = secret, .model = "in-house", .priced_model = "gpt-4o"}).refusal);
  ASSERT_TRUE(write_file_atomically(directory_ / "prices.toml",
                                    "[[price]]\nmodel = \"in-house\"\ninput_usd_per_million = 0\n"
                                    "output_usd_per_million = 0\n"));
  ASSERT_TRUE(access.reload());
  EXPECT_FALSE(access.admit({.secret = secret, .model = "in-house"}).refusal);
}

TEST_F(AccessTest, SpendingSurvivesARestartAndARotation) {
  const std::string secret = add("agents", {.budget_usd = 0.001});
  Access& access = open();
  AccessDecision first = ask(access, secret, 100);
  access.settle(first.grant, {.prompt_tokens = 100}, {1000});
  const auto fresh = crypto::make_access_secret(crypto::virtual_key_prefix);
  ASSERT_TRUE(store::change_access(*home_, store::SignatureRule::optional, [&](AccessList& list) {
    list.find_key("agents")->hash = fresh.hash;
    return Status{};
  }));
  Access& again = open();
  EXPECT_EQ(ask(again, secret, 1).refusal->status, 401U);
  EXPECT_EQ(ask(again, fresh.text.reveal(), 1).refusal->code, "insufficient_quota");
  EXPECT_THAT(json::to_text(again.describe_keys()), HasSubstr(R"("requests":1,"tokens":100)"));
}

TEST_F(AccessTest, ABrokenSpendFileStopsTheStartInsteadOfForgettingBudgets) {
  ASSERT_TRUE(write_file_atomically(directory_ / "spend.json", "{\"keys\":{\"a\":{}}}"));
  const auto opened = Access::open(*home_, {.required = true});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().to_text(), HasSubstr("spend.json"));
}

TEST_F(AccessTest, SeesAChangeOfTheFileByItself) {
  Access& access = open();
  const std::string secret = add("late");
  const Stopwatch watch;
  while (ask(access, secret).refusal && watch.elapsed_s() < 5) std::this_thread::yield();
  EXPECT_FALSE(ask(access, secret).refusal);
  EXPECT_LT(watch.elapsed_s(), 1.0);
}

TEST_F(AccessTest, ABrokenFileLeavesTheOldKeysInForce) {
  const std::string secret = add("agents");
  Access& access = open();
  ASSERT_TRUE(write_file_atomically(store::access_file(*home_), "{"));
  EXPECT_FALSE(access.reload());
  EXPECT_FALSE(ask(access, secret).refusal);
}

TEST_F(AccessTest, SignedListsAreCheckedAndOldOnesRefused) {
  ASSERT_TRUE(crypto::init_keys(home_->keys()));
  const std::string first = add("first");
  const std::string old_list = *read_file(store::access_file(*home_));
  const std::string second = add("second");
  auto opened = Access::open(*home_, {.required = true, .signed_only = true});
  ASSERT_TRUE(opened.has_value()) << opened.error().to_text();
  Access& access = **opened;
  EXPECT_FALSE(ask(access, second).refusal);
  // An old list, well signed:
  ASSERT_TRUE(write_file_atomically(store::access_file(*home_), old_list));
  EXPECT_THAT(access.reload().error().message, HasSubstr("went back"));
  // A changed list:
  std::string changed = old_list;
  changed.replace(changed.find("first"), 5, "worst");
  ASSERT_TRUE(write_file_atomically(store::access_file(*home_), changed));
  EXPECT_EQ(access.reload().error().code, ErrorCode::denied);
  // An unsigned one:
  ASSERT_TRUE(write_file_atomically(store::access_file(*home_),
                                    R"({"access":"{\"keys\":[],\"tokens\":[],\"version\":9}"})"));
  EXPECT_EQ(access.reload().error().code, ErrorCode::denied);
  EXPECT_FALSE(ask(access, second).refusal);
}

TEST_F(AccessTest, KnowsTheRolesOfTokens) {
  const auto secret = crypto::make_access_secret(crypto::role_token_prefix);
  ASSERT_TRUE(store::change_access(*home_, store::SignatureRule::optional, [&](AccessList& list) {
    list.tokens.push_back({.name = "watch",
                           .role = AccessRole::auditor,
                           .hash = secret.hash,
                           .hint = secret.hint,
                           .created_at = {},
                           .expires_at = {time_us_ + second_us},
                           .revoked_at = {}});
    return Status{};
  }));
  Access& access = open();
  const auto holder = access.holder_of(secret.text.reveal());
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->role, AccessRole::auditor);
  EXPECT_EQ(holder->name, "watch");
  EXPECT_FALSE(access.holder_of(""));
  EXPECT_FALSE(access.holder_of("ut-" + std::string(43, 'A')));
  time_us_ += second_us;
  EXPECT_FALSE(access.holder_of(secret.text.reveal()));
}

TEST_F(AccessTest, CountsExactlyUnderManyThreads) {
  const std::string secret = add("agents", {.requests_per_minute = 1000, .budget_usd = 1000.0});
  Access& access = open();
  std::atomic<int> granted = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          AccessDecision decision = ask(access, secret);
          if (decision.refusal) continue;
          ++granted;
          access.settle(decision.grant, {.prompt_tokens = 1}, {1});
          if (i % 100 == 0) (void)access.reload();
        }
      });
    }
  }
  EXPECT_EQ(granted, 1000);
  EXPECT_THAT(json::to_text(access.describe_keys()), HasSubstr(R"("requests":1000,"tokens":1000)"));
}

TEST(SecretOf, TakesEitherHeader) {
  EXPECT_EQ(secret_of("Bearer us-a", ""), "us-a");
  EXPECT_EQ(secret_of("bearer  us-a ", ""), "us-a");
  EXPECT_EQ(secret_of("", "us-b"), "us-b");
  EXPECT_EQ(secret_of("Basic dXM6", ""), "");
  EXPECT_EQ(secret_of("Bearer oauth", "us-b"), "us-b");
  EXPECT_EQ(secret_of("Bearer us-a", "sk-x"), "us-a");
}

TEST(LimitHeaders, SpeakTheClientsDialect) {
  AccessDecision decision;
  decision.requests = RateState{.limit = 60, .remaining = 3, .reset_us = 57 * second_us};
  const auto openai = limit_headers(decision, Protocol::openai, {});
  EXPECT_THAT(openai, testing::ElementsAre(testing::Pair("x-ratelimit-limit-requests", "60"),
                                           testing::Pair("x-ratelimit-remaining-requests", "3"),
                                           testing::Pair("x-ratelimit-reset-requests", "57s")));
  const auto anthropic = limit_headers(decision, Protocol::anthropic, {0});
  EXPECT_THAT(anthropic, testing::Contains(testing::Pair("anthropic-ratelimit-requests-reset",
                                                         "1970-01-01T00:00:57.000000Z")));
  decision.refusal = Refusal{.status = 429, .type = "", .code = "", .retry_after_s = 7};
  EXPECT_THAT(limit_headers(decision, Protocol::openai, {}),
              testing::IsSupersetOf(
                  {testing::Pair("Retry-After", "7"), testing::Pair("x-should-retry", "false")}));
  EXPECT_EQ(to_reset_text(88'000), "88ms");
  EXPECT_EQ(to_reset_text(360 * second_us), "6m0s");
}

}  // namespace
}  // namespace understudy::live
