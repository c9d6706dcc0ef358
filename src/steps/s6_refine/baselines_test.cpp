#include "steps/s6_refine/baselines.hpp"

#include <gtest/gtest.h>

namespace understudy::s6 {
namespace {

HeldOutCall call_of(std::int64_t repeats, std::int64_t asked, std::optional<double> reward = {}) {
  return {.slots = {"x"},
          .teacher = {.text = "yes", .tool_calls = {}},
          .tool_names = {},
          .repeats = repeats,
          .asked = asked,
          .reward = reward};
}

TEST(Baselines, ACacheAnswersRepeatsAndIsWrongWhereTheLlmChangedItsMind) {
  // One call that came five times; one request that was answered twice so, twice otherwise.
  const HeldOut held_out{.calibration = {call_of(5, 5), call_of(2, 4), call_of(2, 4)},
                         .test = {call_of(1, 1)}};
  const CacheBaseline cache = cache_baseline(held_out);
  EXPECT_DOUBLE_EQ(cache.calls, 10);
  EXPECT_DOUBLE_EQ(cache.hits, 7);    // four of the first, three of the second
  EXPECT_DOUBLE_EQ(cache.agreed, 5);  // all of the first, and one of the second
}

TEST(Baselines, AProvenModelThatKeepsNoMoreThanACacheIsNotRecommended) {
  Evaluation evaluation;
  evaluation.verdict = Verdict::convert;
  evaluation.calibration = {.calls = 100, .kept = 40, .agreed = 40};
  evaluation.cache = {.calls = 100, .hits = 39, .agreed = 39};
  weigh_baselines(evaluation);
  EXPECT_EQ(evaluation.verdict, Verdict::convert);
  evaluation.cache.hits = 40;
  weigh_baselines(evaluation);
  EXPECT_EQ(evaluation.verdict, Verdict::keep_llm);
  EXPECT_EQ(evaluation.beaten_by, "cache");
}

TEST(Baselines, ACheaperModelWinsOnlyWhereItIsProvenAndSavesMore) {
  Evaluation evaluation;
  evaluation.verdict = Verdict::convert;
  evaluation.calibration = {.calls = 100, .kept = 80, .agreed = 80};
  evaluation.prices = {.llm = 0.01, .slm = 0, .cheaper = 0.001};
  evaluation.cheaper = {.model = "mini", .answers = {.calls = 100, .kept = 100, .agreed = 99}};
  Evaluation unproven = evaluation;
  weigh_baselines(unproven);
  EXPECT_EQ(unproven.verdict, Verdict::convert);
  evaluation.cheaper.proven = true;
  Evaluation dear = evaluation;
  dear.prices.cheaper = 0.0025;  // saves 0.0075 a call, the small model 0.008
  weigh_baselines(dear);
  EXPECT_EQ(dear.verdict, Verdict::convert);
  weigh_baselines(evaluation);
  EXPECT_EQ(evaluation.beaten_by, "cheaper_model");
  EXPECT_NE(evaluation.reason.find("mini"), std::string::npos);
}

TEST(Baselines, AnswersThatDifferFromASuccessCountAsFailures) {
  std::vector<HeldOutCall> calls(300, call_of(1, 1, 1.0));
  calls[1].reward = 0.0;           // the LLM failed: nothing is lost by differing
  calls[2].reward = std::nullopt;  // nobody rated it
  std::vector<quality::Judged> judged(300, {.confidence = 0.9, .agrees = true});
  judged[1].agrees = false;
  judged[3].confidence = 0.1;  // not kept
  judged[3].agrees = false;
  Evaluation evaluation;
  evaluation.threshold = 0.5;
  OutcomeComparison outcomes = compare_outcomes(calls, judged, evaluation);
  EXPECT_EQ(outcomes.calls, 298);
  EXPECT_EQ(outcomes.llm_right, 297);
  EXPECT_EQ(outcomes.only_llm_right, 0);
  EXPECT_TRUE(outcomes.non_inferior);
  for (std::size_t i = 10; i < 20; ++i) judged[i].agrees = false;
  outcomes = compare_outcomes(calls, judged, evaluation);
  EXPECT_EQ(outcomes.only_llm_right, 10);
  EXPECT_FALSE(outcomes.non_inferior);
}

// What the store keeps of an evaluation is what was found.
TEST(Baselines, OutlastTheStore) {
  Evaluation evaluation;
  evaluation.cache = {.calls = 10, .hits = 4, .agreed = 3};
  evaluation.cheaper = {
      .model = "mini", .answers = {.calls = 9, .kept = 9, .agreed = 8}, .proven = true};
  evaluation.prices = {.llm = 0.5, .slm = 0.25, .cheaper = 0.125};
  evaluation.outcomes = {.calls = 7, .llm_right = 6, .only_llm_right = 1, .non_inferior = true};
  evaluation.beaten_by = "cache";
  const json::value tree = to_json(evaluation);
  const auto again = evaluation_from_json(tree);
  ASSERT_TRUE(again);
  EXPECT_EQ(json::to_canonical(to_json(*again)), json::to_canonical(tree));
}

}  // namespace
}  // namespace understudy::s6
