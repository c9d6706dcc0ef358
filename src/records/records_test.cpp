#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "records/answer.hpp"
#include "records/call.hpp"
#include "records/evaluation.hpp"
#include "records/example.hpp"
#include "records/formats.hpp"
#include "records/model.hpp"
#include "records/policy.hpp"
#include "records/task.hpp"

namespace understudy {
namespace {

Answer tool_answer(std::string name, std::string arguments) {
  return {.text = {},
          .tool_calls = {{.id = "c1", .name = std::move(name), .arguments = std::move(arguments)}}};
}

TEST(Answer, TargetTextKeepsToolCallsAndText) {
  Answer answer = tool_answer("refund", R"({"b": 1.0, "a": "x y"})");
  answer.tool_calls.push_back({.id = "c2", .name = "log", .arguments = "{}"});
  const std::string target = to_target(answer);
  EXPECT_EQ(target, "<tool>refund {\"a\":\"x y\",\"b\":1}\n<tool>log {}");
  const auto back = parse_target(target);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_canonical(*back, AnswerForm::tool_call),
            to_canonical(answer, AnswerForm::tool_call));

  answer.text = "Let me see.";
  const auto mixed = parse_target(to_target(answer));
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->text, "Let me see.");
  EXPECT_EQ(mixed->tool_calls.size(), 2U);
}

TEST(Answer, RefusesTargetsThatNoServerShouldSend) {
  for (const char* target : {"<tool>", "<tool> {}", "<tool>f", "<tool>f [1]", "<tool>f {\"a\":"}) {
    EXPECT_FALSE(parse_target(target)) << target;
  }
  EXPECT_EQ(parse_target("plain")->text, "plain");
}

TEST(Answer, EqualAnswersHaveEqualCanonicalText) {
  EXPECT_EQ(to_canonical({.text = " Refund\n", .tool_calls = {}}, AnswerForm::label), "refund");
  EXPECT_EQ(to_canonical({.text = R"({"b":1,"a":2})", .tool_calls = {}}, AnswerForm::json),
            to_canonical({.text = R"({ "a": 2.0, "b": 1 })", .tool_calls = {}}, AnswerForm::json));
  Answer one = tool_answer("f", R"({"x":1})");
  one.tool_calls.push_back({.id = {}, .name = "g", .arguments = "{}"});
  Answer two = tool_answer("g", "{}");
  two.tool_calls.push_back({.id = {}, .name = "f", .arguments = R"({"x": 1.0})"});
  EXPECT_EQ(to_canonical(one, AnswerForm::tool_call), to_canonical(two, AnswerForm::tool_call));
  EXPECT_NE(to_canonical(tool_answer("f", R"({"x":1})"), AnswerForm::tool_call),
            to_canonical(tool_answer("f", R"({"x":2})"), AnswerForm::tool_call));
}

TEST(Records, CallSurvivesTheRoundTrip) {
  Call call;
  call.id = {"call-1"};
  call.session = {"s"};
  call.source = "import:x";
  call.started_at = {5};
  call.ended_at = {9};
  call.route = {.server = Server::slm,
                .task = "t-1",
                .artifact = "a",
                .reason = "accepted",
                .confidence = 0.5};
  call.origin.tenant = "p";
  call.request = SecretText(R"({"messages":[]})");
  call.response = SecretText("{}");
  call.usage = {.prompt_tokens = 3, .completion_tokens = 4, .estimated = true};
  call.status = CallStatus::truncated;
  call.reward = 0.0;
  const auto back = call_from_json(*json::parse(json::to_text(to_json(call))));
  ASSERT_TRUE(back);
  EXPECT_EQ(json::to_canonical(to_json(*back)), json::to_canonical(to_json(call)));
  EXPECT_EQ(back->latency_us(), 4);
  EXPECT_EQ(back->reward, 0.0);
  EXPECT_EQ(back->cost_usd, std::nullopt);
}

TEST(Records, TaskPolicyAndEvidenceSurviveTheRoundTrip) {
  Task task;
  task.id = {"t-0123456789"};
  task.key = {.skeleton = "a", .tools = "b", .response_form = "text"};
  task.prompt_template = *PromptTemplate::create({"A ", " b"});
  task.answer_form = AnswerForm::label;
  task.answer_set = {"no", "yes"};
  task.statistics.calls = 7;
  task.replaceability = {.estimate = 0.5, .reason = "closed"};
  EXPECT_EQ(to_json(*task_from_json(to_json(task))), to_json(task));

  RoutingPolicy policy;
  policy.version = 3;
  policy.tasks.push_back({.task = task.id,
                          .name = "n",
                          .mode = RouteMode::active,
                          .key = task.key,
                          .prompt_template = task.prompt_template,
                          .answer_form = AnswerForm::label,
                          .answer_set = task.answer_set,
                          .kind = CandidateKind::classifier,
                          .artifact = {"x"},
                          .threshold = 0.25});
  EXPECT_EQ(to_json(*routing_policy_from_json(to_json(policy))), to_json(policy));
  policy.tasks[0].confidence = ConfidenceModel{.weights = {1, 2}, .curve = {{.value = 0.5}}};
  policy.tasks[0].self_consistency = {.samples = 3, .temperature = 0.5};
  policy.tasks[0].endpoint = ModelEndpoint{.url = "http://gpus:8000/v1", .model = "router"};
  EXPECT_EQ(to_json(*routing_policy_from_json(to_json(policy))), to_json(policy));

  Evaluation evaluation;
  evaluation.task = task.id;
  evaluation.calibration = {.calls = 10, .kept = 8, .agreed = 6, .lower = 0.1, .upper = 0.9};
  evaluation.verdict = Verdict::needs_more_data;
  evaluation.cache = {.calls = 10, .hits = 4, .agreed = 3, .share_of_model = 0.5};
  evaluation.cheaper = {.model = "m", .calls = 5, .agreed = 4, .usd_per_call = 0.25};
  evaluation.outcomes = {.calls = 7, .llm_right = 6, .only_llm_right = 1, .difference = -0.125};
  evaluation.pool = {{"t-1"}, {"t-2"}};
  EXPECT_EQ(to_json(*evaluation_from_json(to_json(evaluation))), to_json(evaluation));
  EXPECT_DOUBLE_EQ(evaluation.calibration.rate(), 0.75);
  EXPECT_DOUBLE_EQ(evaluation.calibration.coverage(), 0.8);

  Example example;
  example.call = {"c"};
  example.split = Split::calibration;
  example.repeats = 2;
  EXPECT_EQ(to_json(*example_from_json(to_json(example))), to_json(example));
  EXPECT_FALSE(example_from_json(to_json(example))->reward);
  example.reward = 0;
  EXPECT_EQ(example_from_json(to_json(example))->reward, 0);

  evaluation.plain_coverage = 0.5;
  evaluation.self_consistency.samples = 4;
  evaluation.endpoint = ModelEndpoint{
      .url = "https://gpus/v1", .model = "router", .form = ConstraintForm::structured_outputs};
  EXPECT_EQ(to_json(*evaluation_from_json(to_json(evaluation))), to_json(evaluation));

  Artifact artifact{.id = {"a"},
                    .task = task.id,
                    .kind = CandidateKind::nano,
                    .made_at = {4},
                    .dataset = {"d"},
                    .template_hash = "h",
                    .config_json = "{}",
                    .metrics_json = "{}"};
  EXPECT_EQ(to_json(*artifact_from_json(to_json(artifact))), to_json(artifact));
  artifact.confidence = ConfidenceModel{.weights = {1, 2}, .curve = {{.value = 0.5}}};
  EXPECT_EQ(to_json(*artifact_from_json(to_json(artifact))), to_json(artifact));
}

TEST(Records, PoliciesOfTheFirstFormatAreReadAndNewerOnesRefused) {
  // As format 1 was written: never change this text.
  const auto old = routing_policy_from_json(*json::parse(
      R"({"made_at":5,"reason":"promote t-1","tasks":[{"alpha":0.05,"answer_form":"label",)"
      R"("answer_set":["no","yes"],"artifact":"a","delta":0.1,"key":{"response_form":"text",)"
      R"("skeleton":"","tools":""},"kind":"classifier","mode":"active","name":"n","task":"t-1",)"
      R"("template":{"constants":["Is it so? ",""]},"threshold":0.4}],"version":2})"));
  ASSERT_TRUE(old) << old.error().to_text();
  EXPECT_EQ(old->tasks[0].mode, RouteMode::active);
  EXPECT_EQ(old->tasks[0].audit_share, 0.02);
  EXPECT_FALSE(old->tasks[0].decided_at.known());  // every veto counts
  json::value newer = to_json(*old);
  newer.as_object()["format"] = format_of(FormatId::policy).newest + 1;
  EXPECT_EQ(routing_policy_from_json(newer).error().code, ErrorCode::unsupported);
  json::value wrong = to_json(*old);
  wrong.at("tasks").at(0).as_object()["audit_share"] = 1.5;
  EXPECT_FALSE(routing_policy_from_json(wrong));
}

TEST(Records, PoliciesOfTheSecondFormatAskOnceAndByTheLeastSureToken) {
  // As format 2 was written: never change this text.
  const auto old = routing_policy_from_json(*json::parse(
      R"({"format":2,"version":4,"made_at":5,"reason":"promote t-1 active","resumed_at":0,"tasks":[)"
      R"({"task":"t-1","name":"n","mode":"active","key":{"response_form":"text","skeleton":"",)"
      R"("tools":""},"template":{"constants":["Is it so? ",""]},"answer_form":"label",)"
      R"("answer_set":["no","yes"],"kind":"nano","artifact":"a","threshold":0.4,"alpha":0.05,)"
      R"("delta":0.1,"canary_share":0.1,"audit_share":0.02,"expected_coverage":0.9,)"
      R"("expected_share":0.5,"expected_slots":[],"decided_at":7}]})"));
  ASSERT_TRUE(old) << old.error().to_text();
  EXPECT_FALSE(old->tasks[0].confidence);
  EXPECT_EQ(old->tasks[0].self_consistency.samples, 1);
  json::value wrong = to_json(*old);
  wrong.at("tasks").at(0).as_object()["confidence"] = json::object{};
  EXPECT_FALSE(routing_policy_from_json(wrong));
  wrong.at("tasks").at(0).as_object().erase("confidence");
  wrong.at("tasks").at(0).as_object()["endpoint"] =
      json::object{{"url", "file:///etc/passwd"}, {"model", "m"}, {"form", "none"}};
  EXPECT_FALSE(routing_policy_from_json(wrong));
}

TEST(Records, DamagedRecordsAreRefused) {
  for (const char* text : {"{}", R"({"id":"x","status":"odd"})", "3", R"({"id":7})"}) {
    EXPECT_FALSE(call_from_json(*json::parse(text))) << text;
  }
  EXPECT_FALSE(routing_policy_from_json(*json::parse(R"({"tasks":[{"mode":"active"}]})")));
  EXPECT_FALSE(example_from_json(*json::parse(R"({"call":"c","split":"none"})")));
}

}  // namespace
}  // namespace understudy
