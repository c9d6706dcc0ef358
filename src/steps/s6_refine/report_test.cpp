#include "steps/s6_refine/report.hpp"

#include <array>

#include "adapters/store/call_log_writer.hpp"
#include "adapters/store/policy_store.hpp"
#include "steps/s6_refine/test_home.hpp"

namespace understudy::s6 {
namespace {

constexpr std::int64_t second_us = 1'000'000;

class ReportTest : public TestHome {
 protected:
  Call call(std::string id, Server server, std::int64_t started_s) {
    Call call;
    call.id = {std::move(id)};
    call.session = {"s"};
    call.requested_model = "gpt-4o";
    call.served_model = server == Server::slm ? "understudy-a0b1" : "gpt-4o-2024-08-06";
    call.started_at = {started_s * second_us};
    call.ended_at = {started_s * second_us + (server == Server::slm ? 10'000 : 500'000)};
    call.route.server = server;
    if (server == Server::slm) {
      call.route.task = task_.id.value;
      call.usage = {.prompt_tokens = 5, .completion_tokens = 1};
    } else {
      call.usage = {.prompt_tokens = 1000, .completion_tokens = 100};
    }
    return call;
  }

  void log_calls(const std::vector<Call>& calls) {
    const auto log = store::CallLogWriter::open(home_);
    ASSERT_TRUE(log);
    for (const Call& entry : calls) ASSERT_TRUE((*log)->append(entry));
    ASSERT_TRUE((*log)->flush());
  }

  void go_live() {
    Evaluation evaluation;
    evaluation.task = task_.id;
    evaluation.artifact = artifact_.id;
    evaluation.verdict = Verdict::convert;
    evaluation.reason = "keeps <most> & agrees";
    evaluation.test = {.calls = 100, .kept = 90, .agreed = 88, .lower = 0.922, .upper = 0.997};
    evaluation.cache = {.calls = 200, .hits = 50, .agreed = 49};
    evaluation.cheaper = {.model = "small<er>", .calls = 10, .agreed = 9, .usd_per_call = 0.00125};
    evaluation.outcomes = {.calls = 40, .margin = 0.02, .holds = true};
    evaluation.pool = {task_.id, {"t-2"}};
    auto metadata = store::Metadata::open(home_);
    ASSERT_TRUE(metadata && metadata->add_evaluation(evaluation));
    RoutingPolicy policy;
    TaskPolicy& live = policy.tasks.emplace_back();
    live.task = task_.id;
    live.mode = RouteMode::active;
    live.prompt_template = task_.prompt_template;
    live.artifact = artifact_.id;
    ASSERT_TRUE(store::publish_policy(home_, policy));
  }
};

TEST_F(ReportTest, AnEmptyHomeHasAReportToo) {
  const auto report = make_report(home_, {});
  ASSERT_TRUE(report) << report.error().to_text();
  EXPECT_EQ(report->calls, 0);
  EXPECT_NE(to_html(*report).find("No calls were recorded yet"), std::string::npos);
}

TEST_F(ReportTest, SharesAndMoneyAreThoseOfTheLog) {
  write_calls(30, {});
  log_calls({call("call-0", Server::llm, 100), call("call-1", Server::llm, 200),
             call("call-x", Server::llm, 300), call("live-1", Server::slm, 400)});
  const auto report = make_report(home_, {});
  ASSERT_TRUE(report) << report.error().to_text();
  EXPECT_EQ(report->calls, 4);
  EXPECT_DOUBLE_EQ(report->all.share_of_calls(), 0.25);
  // A call costs 1000 * 2.5 + 100 * 10 micro-dollars; the small model's is valued by its task's
  // mean.
  EXPECT_DOUBLE_EQ(report->all.llm_cost.value, 3 * 3500);
  EXPECT_DOUBLE_EQ(report->all.avoided.value, 3500);
  ASSERT_EQ(report->tasks.size(), 1);
  EXPECT_EQ(report->tasks[0].traffic.calls, 3);
  EXPECT_EQ(report->tasks[0].traffic.by_slm, 1);
  EXPECT_EQ(report->tasks[0].traffic.llm.median_ms, 500);
  EXPECT_EQ(report->tasks[0].traffic.slm.median_ms, 10);
  EXPECT_EQ(report->unassigned.calls, 1);
}

TEST_F(ReportTest, CountsFromTheFirstPromotionOnApart) {
  write_calls(30, {});
  go_live();
  const std::int64_t later_s = now().value / second_us + 100;
  Call fallback = call("live-2", Server::llm, later_s);
  fallback.route.task = task_.id.value;
  fallback.route.reason = "low_confidence";
  log_calls({call("call-0", Server::llm, 100), call("live-1", Server::slm, later_s), fallback});
  const auto report = make_report(home_, {});
  ASSERT_TRUE(report) << report.error().to_text();
  ASSERT_TRUE(report->promoted_at);
  EXPECT_EQ(report->since_promotion.llm_calls + report->since_promotion.slm_calls, 2);
  EXPECT_DOUBLE_EQ(report->since_promotion.share_of_calls(), 0.5);
  EXPECT_TRUE(report->tasks[0].live);
  EXPECT_EQ(report->tasks[0].traffic.fallbacks, 1);
}

TEST_F(ReportTest, AnUnpricedModelIsNamedAndNotGuessed) {
  Call unknown = call("c", Server::llm, 100);
  unknown.requested_model = unknown.served_model = "house-model";
  log_calls({unknown});
  const auto report = make_report(home_, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->all.llm_cost.value, 0);
  EXPECT_EQ(report->unpriced_models.at("house-model"), 1);
  EXPECT_NE(to_html(*report).find("house-model"), std::string::npos);
}

TEST_F(ReportTest, ThePageIsSelfContainedAndEscaped) {
  write_calls(30, {});
  go_live();
  log_calls({call("call-0", Server::llm, 100), call("live-1", Server::slm, 200)});
  const auto report = make_report(home_, {});
  ASSERT_TRUE(report);
  const std::string page = to_html(*report);
  EXPECT_NE(page.find("fruit &lt;of&gt; the text"), std::string::npos);
  EXPECT_NE(page.find("keeps &lt;most&gt; &amp; agrees"), std::string::npos);
  EXPECT_EQ(page.find("<of>"), std::string::npos);
  for (const char* beside :
       {"a cache would answer 25.0 %", "small&lt;er&gt; agrees on 90.0 % at $0.001250",
        "task success on 40 rated calls: not below", "proven together with 1 other tasks"})
    EXPECT_NE(page.find(beside), std::string::npos) << beside;
  for (const char* outside : {"<script", "http://", "https://", "src=", "@import", "url("})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

TEST_F(ReportTest, JsonHasSharesTasksAndReasons) {
  write_calls(30, {});
  log_calls({call("call-0", Server::llm, 100)});
  const auto report = make_report(home_, {});
  ASSERT_TRUE(report);
  const json::value tree = to_json(*report);
  EXPECT_TRUE(json::find_number(*json::find(tree, "all"), "share_of_calls"));
  const json::array* tasks = json::find_array(tree, "tasks");
  ASSERT_TRUE(tasks != nullptr && tasks->size() == 1);
  EXPECT_EQ(json::string_or(tasks->front(), "reason"), "no model was evaluated yet");
  EXPECT_EQ(json::string_or(tasks->front(), "served_by"), "llm");
}

TEST_F(ReportTest, NeedsTheCuratorsKey) {
  std::filesystem::remove(home_.keys() / "curator.key");
  EXPECT_FALSE(make_report(home_, {}));
}

TEST(TrafficTest, PercentilesAreNearestRank) {
  Traffic traffic({}, std::nullopt);
  for (int i = 1; i <= 100; ++i) {
    Call call;
    call.started_at = {second_us};
    call.ended_at = {second_us + i * 1000};
    traffic.add(call);
  }
  EXPECT_EQ(traffic.of({}).llm.median_ms, 50);
  EXPECT_EQ(traffic.of({}).llm.p95_ms, 95);
}

TEST(TrafficTest, EveryCallIsInOneBucketOfTime) {
  Traffic traffic({}, std::nullopt);
  for (int i = 0; i < 97; ++i) {
    Call call;
    call.started_at = {(1 + i) * second_us};
    call.route.server = i % 2 == 0 ? Server::slm : Server::llm;
    traffic.add(call);
  }
  std::int64_t counted = 0;
  for (const TimeBucket& bucket : traffic.over_time(10)) counted += bucket.by_llm + bucket.by_slm;
  EXPECT_EQ(counted, 97);
}

}  // namespace
}  // namespace understudy::s6
