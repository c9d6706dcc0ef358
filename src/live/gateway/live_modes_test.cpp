#include <atomic>
#include <map>

#include "adapters/store/watch_store.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "live/gateway/gateway_fixture.hpp"

namespace understudy::live {
namespace {

using testing::SizeIs;
using testing_peers::json_answer;
using testing_peers::post;

std::string llm_says(std::string_view text) {
  return R"({"model":"llm","choices":[{"index":0,"message":{"content":")" + std::string(text) +
         R"("},"finish_reason":"stop"}]})";
}

std::string question(std::string_view headers = {}) {
  return post("/v1/chat/completions",
              R"({"model":"m","messages":[{"role":"user","content":"Is it so? The sky"}]})",
              headers);
}

Result<lm::Prediction> says(std::string text) {
  return lm::Prediction{.answer = {.text = std::move(text), .tool_calls = {}}, .confidence = 1};
}

// What the router would tell Prometheus, by name and labels.
class Scraped final : public telemetry::Scrape {
 public:
  void gauge(std::string_view name, std::string_view, double value, Labels labels) override {
    add(name, value, labels);
  }
  void counter(std::string_view name, std::string_view, double value, Labels labels) override {
    add(name, value, labels);
  }
  std::map<std::string, double> values;

 private:
  void add(std::string_view name, double value, const Labels& labels) {
    std::string key(name);
    for (const auto& [label, text] : labels) key += " " + text;
    values[key] = value;
  }
};

class LiveModes : public GatewayTest {
 protected:
  double counted(const std::string& what) const {
    Scraped scraped;
    router_->scrape(scraped);
    return scraped.values["understudy_route_calls_total t-0123456789 " + what];
  }
  void wait_until_counted(const std::string& what, double value) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (counted(what) < value) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << what << " " << counted(what);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  template <class Done>
  void wait_until(Done done) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  // Shared with the upstream's threads.
  std::atomic<bool> llm_agrees_{true};
  ScriptedUpstream upstream_{[this](Peer& peer, const Message&) {
    return peer.send(json_answer(llm_says(llm_agrees_ ? "yes" : "no")));
  }};
};

TEST_F(LiveModes, ShadowComparesAndTheClientGetsTheLlmsAnswer) {
  publish_task([](const auto&) { return says("no"); },
               [](TaskPolicy& task) { task.mode = RouteMode::shadow; });
  start(upstream_.url());
  ASSERT_NO_FATAL_FAILURE(wait_for_model());
  const double accepted_before = counted("accepted");  // by the wait for the model
  for (int i = 0; i < 4; ++i) {
    llm_agrees_ = i < 3;
    const Message reply = ask(question());
    EXPECT_EQ(reply.body, llm_says(i < 3 ? "yes" : "no"));
    EXPECT_EQ(reply.header("x-understudy-served-by"), "llm");
    EXPECT_EQ(reply.header("x-understudy-reason"), "shadow");
    EXPECT_EQ(reply.header("x-understudy-mode"), "shadow");
    ASSERT_NO_FATAL_FAILURE(wait_until_counted("shadowed", i + 1));
  }
  EXPECT_EQ(counted("shadow_kept"), 4);
  EXPECT_EQ(counted("shadow_agreed"), 1);
  EXPECT_EQ(counted("accepted"), accepted_before);
  for (const Call& call : recorded()) EXPECT_EQ(call.route.reason, "shadow");
}

TEST_F(LiveModes, ACanaryTakesWholeSessionsOfAboutItsShare) {
  publish_task([](const auto&) { return says("yes"); },
               [](TaskPolicy& task) {
                 task.mode = RouteMode::canary;
                 task.canary_share = 0.3;
               });
  start(upstream_.url());
  ASSERT_NO_FATAL_FAILURE(wait_for_model());
  int by_small_model = 0;
  constexpr int sessions = 100;
  for (int i = 0; i < sessions; ++i) {
    const std::string ask_in_session =
        question("x-understudy-session: s" + std::to_string(i) + "\r\n");
    const Message first = ask(ask_in_session);
    const Message second = ask(ask_in_session);
    EXPECT_EQ(first.header("x-understudy-served-by"), second.header("x-understudy-served-by"));
    EXPECT_EQ(first.header("x-understudy-mode"), "canary");
    const bool in_canary = first.header("x-understudy-served-by") == "slm";
    EXPECT_EQ(first.header("x-understudy-reason"), in_canary ? "accepted" : "canary");
    by_small_model += in_canary ? 1 : 0;
  }
  EXPECT_GT(by_small_model, 15);
  EXPECT_LT(by_small_model, 45);
}

TEST_F(LiveModes, AnAuditedTaskWhoseAnswersChangeIsDemotedAndStaysSoAfterARestart) {
  publish_task([](const auto&) { return says("yes"); },
               [](TaskPolicy& task) { task.audit_share = 1; });
  start(upstream_.url());
  ASSERT_NO_FATAL_FAILURE(wait_for_model());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask(question()).header("x-understudy-served-by"), "slm");
    ASSERT_NO_FATAL_FAILURE(wait_until_counted("audited", i + 1));
  }
  EXPECT_EQ(counted("audit_agreed"), 20);
  llm_agrees_ = false;
  int until_demoted = 0;
  while (ask(question()).header("x-understudy-served-by") == "slm") {
    ASSERT_LT(++until_demoted, 200);
    ASSERT_NO_FATAL_FAILURE(wait_until_counted("audited", 20 + until_demoted));
  }
  EXPECT_GT(until_demoted, 1);
  const Message reply = ask(question());
  EXPECT_EQ(reply.header("x-understudy-reason"), "demoted");
  EXPECT_EQ(reply.header("x-understudy-mode"), "shadow");
  ASSERT_NO_FATAL_FAILURE(wait_until([&] { return store::load_demotions(*home_).size() == 1; }));
  const Demotion demotion = store::load_demotions(*home_).front();
  EXPECT_EQ(demotion.task.value, "t-0123456789");
  EXPECT_EQ(demotion.disagreements, until_demoted);
  EXPECT_EQ(demotion.policy_version, 1);
  stop();
  // Each audit is a call of its own in the log: fresh data for the next model.
  int audits = 0;
  for (const Call& call : on_the_disk()) audits += call.route.reason == "audit" ? 1 : 0;
  EXPECT_EQ(audits, 20 + until_demoted);

  const auto again = Router::open(*home_, [](const lm::OpenModelOptions&) {
    return Result<std::unique_ptr<lm::SmallModel>>(fail(ErrorCode::unavailable, "none"));
  });
  ASSERT_TRUE(again);
  wire::ChatRequest request;
  request.response_form = "text";
  request.prompt = "<|user|>\nIs it so? x\n";
  const auto match = (*again)->match(request, {.call = {}, .session = {}, .parent = {}});
  ASSERT_TRUE(match);
  EXPECT_EQ(match->course, Course::shadow);
  EXPECT_EQ(match->reason, "demoted");
}

TEST_F(LiveModes, ANewerDecisionLiftsAVeto) {
  publish_task([](const auto&) { return says("yes"); },
               [](TaskPolicy& task) { task.decided_at = {100}; });
  ASSERT_TRUE(
      store::add_veto(*home_, {}, {.task = {"t-0123456789"}, .mode = RouteMode::off, .at = {100}}));
  start(upstream_.url());
  const Message refused = ask(question());
  EXPECT_EQ(refused.header("x-understudy-served-by"), "llm");
  publish_task([](const auto&) { return says("yes"); },
               [](TaskPolicy& task) { task.decided_at = {101}; });
  ASSERT_NO_FATAL_FAILURE(
      wait_until([&] { return ask(question()).header("x-understudy-served-by") == "slm"; }));
}

TEST_F(LiveModes, TheKillSwitchAndVetoesThatCannotBeReadPutEverythingOnTheLlm) {
  publish_task([](const auto&) { return says("yes"); });
  start(upstream_.url());
  ASSERT_NO_FATAL_FAILURE(wait_for_model());
  EXPECT_EQ(ask(question()).header("x-understudy-served-by"), "slm");
  ASSERT_TRUE(store::add_veto(*home_, {}, {.task = {}, .mode = RouteMode::off, .at = now()}));
  ASSERT_NO_FATAL_FAILURE(wait_until([&] { return !router_->has_tasks(); }));
  EXPECT_EQ(ask(question()).header("x-understudy-served-by"), "llm");
  std::filesystem::remove(store::watch_directory(*home_) / "vetoes.json");
  ASSERT_NO_FATAL_FAILURE(wait_until([&] { return router_->has_tasks(); }));
  ASSERT_TRUE(write_file_atomically(store::watch_directory(*home_) / "vetoes.json", "{"));
  ASSERT_NO_FATAL_FAILURE(wait_until([&] { return !router_->has_tasks(); }));
}

// A conversation that is in the middle of a tool loop.
std::string with_result(std::string_view call_id) {
  return post("/v1/chat/completions",
              R"({"model":"m","tools":[{"type":"function","function":{"name":"look"}}],)"
              R"("messages":[{"role":"user","content":"Is it so? The sky"},)"
              R"({"role":"assistant","content":null,"tool_calls":[{"id":")" +
                  std::string(call_id) +
                  R"(","type":"function","function":{"name":"look","arguments":"{}"}}]},)"
                  R"({"role":"tool","tool_call_id":")" +
                  std::string(call_id) + R"(","content":"blue"}]})");
}

TEST_F(LiveModes, AToolLoopStaysWithTheServerThatOpenedIt) {
  std::atomic<bool> sure{true};
  publish_task(
      [&sure](const auto&) -> Result<lm::Prediction> {
        lm::Prediction prediction;
        prediction.answer.tool_calls = {{.id = {}, .name = "look", .arguments = "{}"}};
        prediction.confidence = sure ? 1 : 0;
        return prediction;
      },
      [](TaskPolicy& task) {
        task.key.tools = wire::tools_hash({"look"});
        task.answer_form = AnswerForm::tool_call;
        task.answer_set = {};
      });
  ScriptedUpstream calls_a_tool([](Peer& peer, const Message&) {
    return peer.send(json_answer(
        R"({"model":"llm","choices":[{"index":0,"message":{"content":null,"tool_calls":[{"id":)"
        R"("call_llm","type":"function","function":{"name":"look","arguments":"{}"}}]},)"
        R"("finish_reason":"tool_calls"}]})"));
  });
  start(calls_a_tool.url());
  const std::string opening =
      post("/v1/chat/completions",
           R"({"model":"m","tools":[{"type":"function","function":{"name":"look"}}],)"
           R"("messages":[{"role":"user","content":"Is it so? The sky"}]})");
  ASSERT_NO_FATAL_FAILURE(
      wait_until([&] { return ask(opening).header("x-understudy-served-by") == "slm"; }));
  const Message by_small_model = ask(opening);
  const auto body = json::parse(by_small_model.body);
  ASSERT_TRUE(body);
  const std::string id(
      body->at("choices").at(0).at("message").at("tool_calls").at(0).at("id").as_string());
  EXPECT_EQ(ask(with_result(id)).header("x-understudy-served-by"), "slm");
  // Unsure once, so the LLM answers; then its loop is its own, however sure the small model is.
  sure = false;
  EXPECT_EQ(ask(opening).header("x-understudy-reason"), "low_confidence");
  sure = true;
  const Message stays = ask(with_result("call_llm"));
  EXPECT_EQ(stays.header("x-understudy-served-by"), "llm");
  EXPECT_EQ(stays.header("x-understudy-reason"), "tool_loop");
}

}  // namespace
}  // namespace understudy::live
