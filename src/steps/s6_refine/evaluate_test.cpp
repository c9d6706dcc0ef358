#include "steps/s6_refine/evaluate.hpp"

#include <cmath>

#include "adapters/store/policy_store.hpp"
#include "steps/s6_refine/promote.hpp"
#include "steps/s6_refine/test_home.hpp"

namespace understudy::s6 {
namespace {

using EvaluateTest = TestHome;

// Answers every call as it is told to.
class ScriptedModel final : public lm::SmallModel {
 public:
  explicit ScriptedModel(Result<lm::Prediction> answer) : answer_(std::move(answer)) {}
  Result<lm::Prediction> predict(const lm::Question&) const override { return answer_; }

 private:
  Result<lm::Prediction> answer_;
};

HeldOut held_out(std::size_t count, const std::string& teacher) {
  const HeldOutCall call{
      .slots = {"x"}, .teacher = {.text = teacher, .tool_calls = {}}, .llm_latency_us = 2000};
  return {.calibration = std::vector<HeldOutCall>(count, call),
          .test = std::vector<HeldOutCall>(count, call)};
}

lm::Prediction says(std::string text, double confidence) {
  return {.answer = {.text = std::move(text), .tool_calls = {}}, .confidence = confidence};
}

TEST_F(EvaluateTest, AModelThatAgreesIsProven) {
  const auto evaluation =
      evaluate_model(ScriptedModel(says("PLUM", 0.7)), task_, held_out(100, "Plum"), {});
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->verdict, Verdict::convert);
  EXPECT_EQ(evaluation->threshold, 0.7);
  EXPECT_EQ(evaluation->test.kept, 100);
  EXPECT_EQ(evaluation->test.agreed, 100);
  EXPECT_EQ(evaluation->llm_latency_ms_median, 2);
}

// A third of the answers is wrong; the least sure token is the same everywhere, the margin tells.
TEST_F(EvaluateTest, TheArtifactsConfidenceIsProvenAndThePlainOneStandsBeside) {
  class Telling final : public lm::SmallModel {
   public:
    Result<lm::Prediction> predict(const lm::Question& question) const override {
      const bool right = question.slots.front() != "wrong";
      lm::Prediction said = says(right ? "Plum" : "Pear", 0.5);
      said.signs = signs_of({std::log(0.5)}, {right ? 3.0 : 0.0});
      return said;
    }
  };
  HeldOut calls = held_out(300, "Plum");
  for (std::size_t i = 0; i < 100; ++i) calls.calibration[3 * i].slots = {"wrong"};
  EvaluateOptions options;
  options.confidence =
      ConfidenceModel{.weights = {0, 0, 0, 1, 0, 0, 0, 0},
                      .curve = {{.score = 0, .value = 0.1}, {.score = 3, .value = 0.99}}};
  const auto evaluation = evaluate_model(Telling(), task_, calls, options);
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->verdict, Verdict::convert);
  EXPECT_EQ(evaluation->calibration.kept, 200);
  EXPECT_EQ(evaluation->calibration.agreed, 200);
  EXPECT_EQ(evaluation->plain_coverage, 0);
  options.confidence.reset();
  EXPECT_EQ(evaluate_model(Telling(), task_, calls, options)->verdict, Verdict::keep_llm);
}

TEST_F(EvaluateTest, AnAnswerThatIsNoLabelOfTheTaskIsNotKept) {
  const auto evaluation =
      evaluate_model(ScriptedModel(says("Banana", 1)), task_, held_out(100, "Banana"), {});
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->verdict, Verdict::keep_llm);
  EXPECT_EQ(evaluation->calibration.kept, 0);
}

TEST_F(EvaluateTest, AModelThatIsAwayIsAnErrorAndNoVerdict) {
  const auto evaluation = evaluate_model(ScriptedModel(fail(ErrorCode::unavailable, "away")), task_,
                                         held_out(10, "Plum"), {});
  ASSERT_FALSE(evaluation);
  EXPECT_EQ(evaluation.error().code, ErrorCode::unavailable);
}

TEST_F(EvaluateTest, CallsThatTheTemplateDoesNotFitCountAgainstTheModel) {
  HeldOut calls = held_out(50, "Plum");
  const HeldOutCall unmatched{
      .slots = {}, .teacher = {.text = "Plum", .tool_calls = {}}, .llm_latency_us = 0};
  calls.calibration.resize(100, unmatched);
  const auto evaluation = evaluate_model(ScriptedModel(says("Plum", 0.5)), task_, calls, {});
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->calibration.calls, 100);
  EXPECT_EQ(evaluation->calibration.kept, 50);
}

TEST_F(EvaluateTest, HeldOutCallsAreThoseThatTheGatewayWouldRoute) {
  std::vector<Example> examples(5);
  for (auto& example : examples) {
    example.split = Split::test;
    example.request = SecretText(json::to_text(chat_request("a plum")));
    example.response = SecretText(json::to_text(chat_response("Plum")));
  }
  examples[1].split = Split::train;
  examples[2].request = SecretText(R"({"messages":[{"role":"user","content":"another prompt"}]})");
  json::value many = chat_request("a plum");
  many.as_object()["n"] = 3;
  examples[3].request = SecretText(json::to_text(many));
  examples[4].response = SecretText("{}");
  const HeldOut calls = held_out_calls(examples, task_, {});
  EXPECT_EQ(calls.test.size(), 1);
  EXPECT_TRUE(calls.calibration.empty());
  EXPECT_EQ(calls.test[0].slots, std::vector<std::string>{"a plum"});
}

TEST_F(EvaluateTest, AModelThatDoesNotBeatTheCacheIsNotRecommended) {
  HeldOut calls = held_out(200, "Plum");
  calls.cache = {.calls = 1000, .hits = 990, .agreed = 985};
  calls.test.back().slots.clear();  // the model answers 199 of 200, a cache 99.0 %
  const ScriptedModel model(says("Plum", 0.7));
  calls.test.back().repeats = 20;
  const auto beaten = evaluate_model(model, task_, calls, {});
  ASSERT_TRUE(beaten);
  EXPECT_EQ(beaten->verdict, Verdict::keep_llm);
  EXPECT_NE(beaten->reason.find("cache"), std::string::npos) << beaten->reason;
  calls.test.back().repeats = 1;
  EXPECT_EQ(evaluate_model(model, task_, calls, {})->verdict, Verdict::convert);
  calls.test.back().repeats = 20;
  calls.cache.agreed = 900;  // a cache that repeats what no longer holds is none
  EXPECT_EQ(evaluate_model(model, task_, calls, {})->verdict, Verdict::convert);
}

TEST_F(EvaluateTest, OutcomesAreAColumnOfTheirOwn) {
  HeldOut calls = held_out(300, "Plum");
  const ScriptedModel model(says("Plum", 0.7));
  EXPECT_EQ(evaluate_model(model, task_, calls, {})->outcomes.calls, 0);
  for (std::size_t i = 0; i < calls.test.size(); ++i) {
    calls.test[i].reward = i % 2;
    if (i < 20) calls.test[i].teacher.text = "Pear";  // half of these were right
  }
  const auto lost = evaluate_model(model, task_, calls, {})->outcomes;
  EXPECT_EQ(lost.calls, 300);
  EXPECT_EQ(lost.llm_right, 150);
  EXPECT_EQ(lost.only_llm_right, 10);
  EXPECT_DOUBLE_EQ(lost.difference, -10.0 / 300);
  EXPECT_FALSE(lost.holds);
  EXPECT_TRUE(evaluate_model(model, task_, calls, {.margin = 0.1})->outcomes.holds);
}

TEST_F(EvaluateTest, TheCacheAnswersWhatTheFirstOfEqualCallsGot) {
  std::vector<Example> examples(3);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    examples[i].call = {std::format("c{}", i)};
    examples[i].started_at = {static_cast<std::int64_t>(i)};
    examples[i].request = SecretText(json::to_text(chat_request(i == 2 ? "a pear" : "a plum")));
    examples[i].response = SecretText(json::to_text(chat_response("Plum")));
    examples[i].repeats = 4;
  }
  const CacheBaseline cache = held_out_calls(examples, task_, {{"c0"}, {"c1"}, {"c2"}}).cache;
  EXPECT_EQ(cache.calls, 12);
  EXPECT_EQ(cache.hits, 10);   // 7 of the first question, 3 of the second
  EXPECT_EQ(cache.agreed, 6);  // those of c1 were answered otherwise
}

TEST_F(EvaluateTest, TasksThatShareAProofAreEvaluatedTogether) {
  write_calls(600, {});
  train_classifier();
  EXPECT_EQ(evaluate_pool(home_, std::vector{task_.id}, {}).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(evaluate_pool(home_, std::vector{task_.id, task_.id}, {}).error().code,
            ErrorCode::invalid_input);
}

// The console's disagreements compared tool calls without the tools' schemas once, and showed calls
// as different that the evaluation counts as equal.
TEST(JudgePrediction, ComparesByTheToolsSchemasAndKeepsNothingInvalid) {
  const auto request = json::parse(R"({"tools":[{"type":"function","function":{"name":"book",
    "parameters":{"type":"object","properties":{"seats":{"type":"integer","default":1}}}}}]})");
  Task task;
  task.answer_form = AnswerForm::tool_call;
  const auto booked = [](std::string name, std::string arguments) {
    Answer answer;
    answer.tool_calls.push_back(
        {.id = {}, .name = std::move(name), .arguments = std::move(arguments)});
    return answer;
  };
  const HeldOutCall call{.slots = {"x"},
                         .teacher = booked("book", R"({"seats":1})"),
                         .shape = quality::answer_shape(*request)};
  lm::Prediction prediction{.answer = booked("book", "{}"), .confidence = 0.9};
  const auto judged = judge_prediction(call, prediction, task);
  ASSERT_TRUE(judged);
  EXPECT_TRUE(judged->agrees);
  EXPECT_EQ(judged->confidence, 0.9);
  prediction.answer = booked("cancel", "{}");  // a tool that was not offered
  EXPECT_FALSE(judge_prediction(call, prediction, task));
}

TEST_F(EvaluateTest, WithoutAModelTheErrorSaysHowToTrainOne) {
  write_calls(30, {});
  const auto evaluation = evaluate(home_, task_.id, {});
  ASSERT_FALSE(evaluation);
  EXPECT_EQ(evaluation.error().code, ErrorCode::not_found);
  EXPECT_NE(evaluation.error().hint.find("understudy tune t-00000000aa --candidate classifier"),
            std::string::npos);
}

TEST_F(EvaluateTest, AlphaAndDeltaAreChecked) {
  EXPECT_EQ(evaluate(home_, task_.id, {.alpha = 0}).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(evaluate(home_, task_.id, {.delta = 1}).error().code, ErrorCode::invalid_input);
}

TEST_F(EvaluateTest, NothingIsPromotedWithoutEvidence) {
  write_calls(30, {});
  const auto policy = promote(home_, task_.id);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, ErrorCode::denied);
}

TEST_F(EvaluateTest, AnUnpredictableTeacherKeepsTheTaskOnTheLlm) {
  write_calls(900, {.wrong_teacher = 0.9});
  train_classifier();
  const auto evaluation = evaluate(home_, task_.id, {});
  ASSERT_TRUE(evaluation) << evaluation.error().to_text();
  EXPECT_NE(evaluation->verdict, Verdict::convert);
  const auto policy = promote(home_, task_.id);
  ASSERT_FALSE(policy);
  EXPECT_NE(policy.error().message.find(evaluation->reason), std::string::npos);
}

TEST_F(EvaluateTest, FewCallsAskForMore) {
  write_calls(60, {});
  train_classifier();
  const auto evaluation = evaluate(home_, task_.id, {});
  ASSERT_TRUE(evaluation) << evaluation.error().to_text();
  EXPECT_EQ(evaluation->verdict, Verdict::needs_more_data);
  EXPECT_GT(evaluation->calls_needed, 0);
}

TEST_F(EvaluateTest, AProvenModelGoesLiveAndComesBack) {
  write_calls(600, {});
  train_classifier();
  const auto evaluation = evaluate(home_, task_.id, {});
  ASSERT_TRUE(evaluation) << evaluation.error().to_text();
  ASSERT_EQ(evaluation->verdict, Verdict::convert) << evaluation->reason;
  EXPECT_GE(evaluation->test.rate(), 0.95);

  const auto promoted = promote(home_, task_.id);
  ASSERT_TRUE(promoted) << promoted.error().to_text();
  const auto live = store::load_current_policy(home_);
  ASSERT_TRUE(live);
  ASSERT_EQ(live->tasks.size(), 1);
  EXPECT_EQ(live->tasks[0].mode, RouteMode::active);
  EXPECT_EQ(live->tasks[0].artifact, artifact_.id);
  EXPECT_EQ(live->tasks[0].threshold, evaluation->threshold);
  EXPECT_EQ(live->tasks[0].prompt_template, task_.prompt_template);

  ASSERT_TRUE(rollback(home_, task_.id));
  EXPECT_EQ(store::load_current_policy(home_)->tasks[0].mode, RouteMode::off);
  EXPECT_EQ(rollback(home_, task_.id).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace understudy::s6
