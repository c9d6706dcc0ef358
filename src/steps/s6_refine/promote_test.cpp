#include "steps/s6_refine/promote.hpp"

#include "adapters/store/call_log_writer.hpp"
#include "adapters/store/policy_store.hpp"
#include "adapters/store/watch_store.hpp"
#include "steps/s6_refine/evaluate.hpp"
#include "steps/s6_refine/replay.hpp"
#include "steps/s6_refine/test_home.hpp"

namespace understudy::s6 {
namespace {

class PromoteTest : public TestHome {
 protected:
  void prove(Verdict verdict, UnixMicros at = {}) {
    Evaluation evaluation;
    evaluation.task = task_.id;
    evaluation.artifact = artifact_.id;
    evaluation.made_at = at.known() ? at : now();
    evaluation.verdict = verdict;
    evaluation.threshold = verdict == Verdict::convert ? 0.4 : 2;
    evaluation.calibration = {.calls = 200, .kept = 180, .agreed = 178};
    auto metadata = store::Metadata::open(home_);
    ASSERT_TRUE(metadata && metadata->add_evaluation(evaluation));
  }
  TaskPolicy live() const { return store::load_current_policy(home_)->tasks.at(0); }
};

TEST_F(PromoteTest, ACanaryIsPublishedWithItsShares) {
  write_calls(90, {});
  train_classifier();
  prove(Verdict::convert);
  const auto policy = promote(
      home_, task_.id, {.mode = RouteMode::canary, .canary_share = 0.25, .audit_share = 0.05});
  ASSERT_TRUE(policy) << policy.error().to_text();
  EXPECT_EQ(live().mode, RouteMode::canary);
  EXPECT_EQ(live().canary_share, 0.25);
  EXPECT_EQ(live().audit_share, 0.05);
  EXPECT_EQ(live().expected_coverage, 0.9);
  EXPECT_EQ(store::load_current_policy(home_)->reason,
            "promote " + task_.id.value + " canary 25.0 %");
  EXPECT_TRUE(live().decided_at.known());
  EXPECT_EQ(promote(home_, task_.id, {.canary_share = 2}).error().code, ErrorCode::invalid_input);
}

TEST_F(PromoteTest, OnlyAShadowIsOpenToWhatIsNotProven) {
  write_calls(90, {});
  train_classifier();
  prove(Verdict::keep_llm);
  for (const RouteMode mode : {RouteMode::canary, RouteMode::active})
    EXPECT_EQ(promote(home_, task_.id, {.mode = mode}).error().code, ErrorCode::denied);
  ASSERT_TRUE(promote(home_, task_.id, {.mode = RouteMode::shadow}));
  EXPECT_EQ(live().mode, RouteMode::shadow);
  EXPECT_EQ(live().threshold, 0);  // all of its answers are compared
}

TEST_F(PromoteTest, ADemotedTaskNeedsNewerEvidence) {
  write_calls(90, {});
  train_classifier();
  prove(Verdict::convert);
  ASSERT_TRUE(promote(home_, task_.id));
  const UnixMicros demoted_at{live().decided_at.value + 1};
  ASSERT_TRUE(store::add_veto(home_, *store::load_current_policy(home_),
                              {.task = task_.id,
                               .mode = RouteMode::shadow,
                               .at = demoted_at,
                               .reason = "the audit's alarm"}));
  EXPECT_EQ(promote(home_, task_.id).error().code, ErrorCode::denied);
  EXPECT_EQ(switch_on(home_, task_.id).error().code, ErrorCode::denied);
  prove(Verdict::convert, {demoted_at.value + 1});
  EXPECT_TRUE(promote(home_, task_.id));
}

TEST_F(PromoteTest, TheKillSwitchNeedsNoKeyAndItsEndDoes) {
  write_calls(90, {});
  train_classifier();
  prove(Verdict::convert);
  ASSERT_TRUE(promote(home_, task_.id));
  const auto key = home_.keys() / "admin-sign.key";
  std::filesystem::rename(key, home_.directory() / "away");
  ASSERT_TRUE(switch_off(home_, task_.id));
  ASSERT_TRUE(switch_off(home_, std::nullopt));
  EXPECT_EQ(store::load_vetoes(home_)->size(), 2);
  EXPECT_FALSE(switch_on(home_, task_.id));
  std::filesystem::rename(home_.directory() / "away", key);
  ASSERT_TRUE(switch_on(home_, task_.id));
  ASSERT_TRUE(switch_on(home_, std::nullopt));
  const RoutingPolicy policy = *store::load_current_policy(home_);
  for (const Veto& veto : *store::load_vetoes(home_))
    EXPECT_EQ(effective_mode(policy.tasks[0], policy, veto), RouteMode::active);
}

TEST_F(PromoteTest, TheModelBeforeThisOneComesBackByOneCommand) {
  write_calls(90, {});
  train_classifier();
  prove(Verdict::convert);
  ASSERT_TRUE(promote(home_, task_.id));
  EXPECT_EQ(rollback_to_previous(home_, task_.id).error().code, ErrorCode::not_found);
  const ArtifactId first = artifact_.id;
  artifact_.id = {"ffffffffffff"};
  train_classifier();
  prove(Verdict::convert);
  ASSERT_TRUE(promote(home_, task_.id, {.mode = RouteMode::canary}));
  EXPECT_EQ(live().artifact.value, "ffffffffffff");
  ASSERT_TRUE(rollback_to_previous(home_, task_.id));
  EXPECT_EQ(live().artifact, first);
  EXPECT_EQ(live().mode, RouteMode::active);
}

TEST_F(PromoteTest, AReplaySaysWhatADraftWouldHaveDone) {
  write_calls(900, {});
  train_classifier();
  ASSERT_TRUE(evaluate(home_, task_.id, {}));
  const auto draft = draft_promotion(home_, task_.id);
  ASSERT_TRUE(draft) << draft.error().to_text();
  EXPECT_EQ(store::load_current_policy(home_)->version, 0);  // nothing was published
  const auto log = store::CallLogWriter::open(home_);
  ASSERT_TRUE(log);
  for (const auto& [text, answer] :
       {std::pair{"today I ate a Plum for number 1", "Plum"}, {"we had a Pear", "Apple"}}) {
    Call call;
    call.id = {text};
    call.requested_model = "gpt-4o";
    call.request = SecretText(json::to_text(chat_request(text)));
    call.response = SecretText(json::to_text(chat_response(answer)));
    call.usage = {.prompt_tokens = 100, .completion_tokens = 1};
    ASSERT_TRUE((*log)->append(call));
  }
  Call other;
  other.id = {"other"};
  other.request = SecretText(R"({"messages":[{"role":"user","content":"?"}]})");
  other.response = SecretText(json::to_text(chat_response("!")));
  ASSERT_TRUE((*log)->append(other));
  Call by_slm = other;
  by_slm.id = {"slm"};
  by_slm.route.server = Server::slm;
  ASSERT_TRUE((*log)->append(by_slm));
  ASSERT_TRUE((*log)->flush());
  const auto report = replay(home_, {.policy = *draft});
  ASSERT_TRUE(report) << report.error().to_text();
  EXPECT_EQ(report->calls, 3);
  EXPECT_EQ(report->skipped, 1);
  ASSERT_EQ(report->tasks.size(), 1);
  EXPECT_EQ(report->tasks[0].matched, 2);
  EXPECT_EQ(report->tasks[0].accepted, 2);
  EXPECT_EQ(report->tasks[0].agreed, 1);
  EXPECT_NEAR(report->savings.share_of_calls(), 2.0 / 3, 1e-12);
}

}  // namespace
}  // namespace understudy::s6
