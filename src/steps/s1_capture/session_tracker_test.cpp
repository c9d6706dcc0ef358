#include "steps/s1_capture/session_tracker.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapters/wire/response_facts.hpp"
#include "base/limits.hpp"
#include "base/uuid.hpp"

namespace understudy::s1 {
namespace {

// A UUID of its own for each number.
CallId id_of(std::uint64_t number) {
  std::array<char, uuid_bytes> bytes{};
  std::memcpy(bytes.data(), &number, sizeof number);
  return {uuid_text({bytes.data(), bytes.size()})};
}

class SessionTrackerTest : public ::testing::Test {
 protected:
  Call place_body(wire::Api api, const std::string& body, std::string_view named = {},
                  std::string tenant = {}) {
    const auto scan = wire::scan_request(api, std::string_view(body));
    EXPECT_TRUE(scan) << body;
    Call call;
    call.id = id_of(++calls_);
    call.api = wire::to_string(api);
    call.origin.tenant = std::move(tenant);
    tickets_[call.id.value] = tracker_.place(*scan, body, named, call);
    return call;
  }

  Call place(const std::string& messages, std::string_view named = {}, std::string tenant = {}) {
    return place_body(wire::Api::chat_completions, R"({"model":"m","messages":[)" + messages + "]}",
                      named, std::move(tenant));
  }

  // `message`: of an answer to a chat.
  void answer(const Call& call, const std::string& message) {
    answer_body(call, wire::Api::chat_completions,
                R"({"id":"c","choices":[{"index":0,"message":)" + message + "}]}");
  }

  void answer_body(const Call& call, wire::Api api, const std::string& body) {
    const wire::ResponseFacts facts = wire::read_response(api, body);
    tracker_.answered(tickets_.at(call.id.value),
                      {.words = facts.mark.words(body), .response_id = facts.id});
  }

  std::uint64_t calls_ = 0;
  std::map<std::string, SessionTracker::Ticket> tickets_;
  SessionTracker tracker_{Pseudonyms(SecretText(std::string(32, 'k')))};
};

const std::string kSystem = R"({"role":"system","content":"You book flights."},)";
const std::string kUser = R"({"role":"user","content":"To Oslo, please."})";
const std::string kAsk = R"(,{"role":"assistant","tool_calls":[{"id":"t1","type":"function",)"
                         R"("function":{"name":"find","arguments":"{}"}}]})";
const std::string kTool = R"(,{"role":"tool","tool_call_id":"t1","content":"two flights"})";

TEST_F(SessionTrackerTest, AConversationThatGoesOnIsOneSession) {
  const Call first = place(kSystem + kUser);
  EXPECT_TRUE(first.parent.empty());
  EXPECT_EQ(first.step, 0);
  const Call second = place(kSystem + kUser + kAsk + kTool);
  EXPECT_EQ(second.session, first.session);
  EXPECT_EQ(second.parent, first.id);
  EXPECT_EQ(second.step, 1);
  const Call third =
      place(kSystem + kUser + kAsk + kTool +
            R"(,{"role":"assistant","content":"Which?"},{"role":"user","content":"B"})");
  EXPECT_EQ(third.session, first.session);
  EXPECT_EQ(third.parent, second.id);
  EXPECT_EQ(third.step, 2);
}

TEST_F(SessionTrackerTest, InterleavedSessionsStayApart) {
  const std::string other = R"({"role":"user","content":"To Rome, please."})";
  const Call oslo = place(kSystem + kUser);
  const Call rome = place(kSystem + other);
  EXPECT_NE(oslo.session, rome.session);
  EXPECT_EQ(place(kSystem + other + kAsk + kTool).parent, rome.id);
  EXPECT_EQ(place(kSystem + kUser + kAsk + kTool).parent, oslo.id);
}

TEST_F(SessionTrackerTest, ASecondRunWithTheSameOpeningIsAnotherSession) {
  const Call one = place(kSystem + kUser);
  const Call two = place(kSystem + kUser);
  EXPECT_NE(one.session, two.session);
  // No answer is known: the first to go on takes the oldest, the next one the other.
  EXPECT_EQ(place(kSystem + kUser + kAsk + kTool).session, one.session);
  EXPECT_EQ(place(kSystem + kUser +
                  R"(,{"role":"assistant","content":"x"},{"role":"user","content":"y"})")
                .session,
            two.session);
}

TEST_F(SessionTrackerTest, RunsOfOnePromptAreToldApartByTheirAnswers) {
  const Call one = place(kSystem + kUser);
  const Call two = place(kSystem + kUser);
  answer(one, R"({"role":"assistant","content":"When?"})");
  answer(
      two,
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"find","arguments":"{}"}}]})");
  EXPECT_EQ(place(kSystem + kUser + kAsk + kTool).parent, two.id);
  EXPECT_EQ(place(kSystem + kUser +
                  R"(,{"role":"assistant","content":"When?"},{"role":"user","content":"Now"})")
                .parent,
            one.id);
}

TEST_F(SessionTrackerTest, RunsWithTheSameAnswersTakeOneEach) {
  std::set<std::string> sessions;
  std::vector<Call> runs;
  for (int i = 0; i < 3; ++i) {
    runs.push_back(place(kUser));
    answer(runs.back(), R"({"role":"assistant","content":"When?"})");
  }
  for (int i = 0; i < 3; ++i) {
    const std::string body =
        kUser + R"(,{"role":"assistant","content":"When?"},{"role":"user","content":"at )" +
        std::to_string(i) + "\"}";
    const Call next = place(body);
    EXPECT_EQ(place(body).parent, next.parent) << "a retry has the same parent";
    sessions.insert(next.session.value);
  }
  EXPECT_EQ(sessions.size(), 3U);
}

TEST_F(SessionTrackerTest, AnAnswerIsTheSameHoweverItIsEscapedOrStripped) {
  const Call other = place(kUser);
  const Call call = place(kUser);
  answer(other, R"({"role":"assistant","content":"Later"})");
  answer(call, R"({"role":"assistant","content":"\n Gr\u00fc\u00dfe, \"Oslo\" "})");
  EXPECT_EQ(
      place(
          kUser +
          R"(,{"role":"assistant","content":[{"type":"text","text":"Grüße, \"Oslo\""}]},{"role":"user","content":"x"})")
          .parent,
      call.id);
}

TEST_F(SessionTrackerTest, ASystemPromptThatChangesWithEachCallDoesNotBreakTheSession) {
  const Call first = place(R"({"role":"system","content":"It is 10:00."},)" + kUser);
  const Call second =
      place(R"({"role":"system","content":"It is 10:01."},)" + kUser + kAsk + kTool);
  EXPECT_EQ(second.parent, first.id);
}

TEST_F(SessionTrackerTest, AnthropicsCacheMarkMayMove) {
  const auto body = [](const std::string& messages) {
    return R"({"model":"m","max_tokens":9,"messages":[)" + messages + "]}";
  };
  const Call first = place_body(
      wire::Api::messages,
      body(
          R"({"role":"user","content":[{"type":"text","text":"Look","cache_control":{"type":"ephemeral"}}]})"));
  answer_body(
      first, wire::Api::messages,
      R"({"content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]})");
  const Call second = place_body(
      wire::Api::messages,
      body(
          R"({"role":"user","content":"Look"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},
         {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"r","cache_control":{"type":"ephemeral"}}]})"));
  EXPECT_EQ(second.parent, first.id);
}

TEST_F(SessionTrackerTest, ResponsesGoOnByTheirItemsOrByTheirId) {
  const Call first =
      place_body(wire::Api::responses, R"({"model":"m","input":[{"role":"user","content":"x"}]})");
  answer_body(
      first, wire::Api::responses,
      R"({"id":"resp_1","output":[{"type":"reasoning","id":"rs"},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}]})");
  const Call items = place_body(
      wire::Api::responses,
      R"({"model":"m","input":[{"role":"user","content":"x"},{"type":"reasoning","id":"rs"},
      {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"4"}]})");
  EXPECT_EQ(items.parent, first.id);
  const Call by_id = place_body(
      wire::Api::responses,
      R"({"model":"m","previous_response_id":"resp_1","input":[{"type":"function_call_output","call_id":"c1","output":"4"}]})");
  EXPECT_EQ(by_id.parent, first.id);
  EXPECT_EQ(by_id.session, first.session);
  EXPECT_EQ(by_id.step, 1);
}

// Like tau-bench: several trials of several tasks side by side, whose users and tools often say the
// same, with retries. Every call must find the call that its trial made before.
TEST_F(SessionTrackerTest, TrialsOfTasksThatRunSideBySideKeepTheirCalls) {
  struct Trial {
    std::string messages;
    std::string session;
    std::string last;
    int step = 0;
  };
  std::mt19937 random(7);
  std::vector<Trial> trials(24);
  for (std::size_t i = 0; i < trials.size(); ++i)
    trials[i].messages =
        kSystem + R"({"role":"user","content":"Task )" + std::to_string(i % 4) + "\"}";
  for (int calls = 0; calls < 24 * 40; ++calls) {
    const std::size_t index = random() % trials.size();
    Trial& trial = trials[index];
    if (random() % 10 == 0) place(trial.messages);  // given up by the client before it was answered
    const Call call = place(trial.messages);
    EXPECT_EQ(call.step, trial.step);
    if (trial.step > 0) {
      EXPECT_EQ(call.session.value, trial.session);
      EXPECT_EQ(call.parent.value, trial.last);
    }
    trial.session = call.session.value;
    trial.last = call.id.value;
    ++trial.step;
    const std::string id = "call_" + std::to_string(index) + "_" + std::to_string(trial.step);
    const std::string said =
        R"({"role":"assistant","content":null,"tool_calls":[{"id":")" + id +
        R"(","type":"function","function":{"name":"find","arguments":"{}"}}]})";
    answer(call, said);
    trial.messages +=
        "," + said + R"(,{"role":"tool","tool_call_id":")" + id + R"(","content":"none"})";
  }
  std::set<std::string> sessions;
  for (const Trial& trial : trials) sessions.insert(trial.session);
  EXPECT_EQ(sessions.size(), trials.size());
}

TEST_F(SessionTrackerTest, ThreadsMayPlaceAndAnswerAtOnce) {
  std::vector<std::jthread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (std::uint64_t i = 0; i < 500; ++i) {
        const std::string body =
            R"({"messages":[{"role":"user","content":")" + std::to_string(i % 7) + "\"}]}";
        const auto scan = wire::scan_request(wire::Api::chat_completions, std::string_view(body));
        Call call;
        call.id = id_of(1000 * thread + i);
        const auto ticket = tracker_.place(*scan, body, {}, call);
        tracker_.answered(ticket, {.words = "x", .response_id = {}});
      }
    });
  }
}

TEST_F(SessionTrackerTest, ARepeatedStepHasTheSameParent) {
  const Call first = place(kSystem + kUser);
  const Call second = place(kSystem + kUser + kAsk + kTool);
  const Call again = place(kSystem + kUser + kAsk + kTool);
  EXPECT_EQ(again.parent, first.id);
  EXPECT_EQ(again.session, second.session);
  EXPECT_EQ(again.step, second.step);
}

TEST_F(SessionTrackerTest, AnEditedHistoryGoesOnFromWhereItIsTheSame) {
  const Call first = place(kSystem + kUser);
  place(kSystem + kUser + kAsk + kTool);
  const Call edited =
      place(kSystem + kUser +
            R"(,{"role":"assistant","content":"Sure."},{"role":"user","content":"Go"})");
  EXPECT_EQ(edited.parent, first.id);
  EXPECT_EQ(edited.step, 1);
}

TEST_F(SessionTrackerTest, AMessageThatTheModelDidNotAnswerOpensASession) {
  const Call first = place(kSystem + kUser);
  const Call more = place(kSystem + kUser + R"(,{"role":"user","content":"And back."})");
  EXPECT_TRUE(more.parent.empty());
  EXPECT_EQ(more.step, 0);
  static_cast<void>(first);
}

TEST_F(SessionTrackerTest, TheHeadersNameWinsAndTenantsNeverMeet) {
  EXPECT_EQ(place(kSystem + kUser, "run-7").session.value, "run-7");
  EXPECT_EQ(place(kSystem + kUser + kAsk + kTool, "run-7").step, 1);
  const Call one = place(kSystem + kUser, {}, "tenant-1");
  const Call two = place(kSystem + kUser + kAsk + kTool, {}, "tenant-2");
  EXPECT_NE(one.session, two.session);
  EXPECT_TRUE(two.parent.empty());
}

TEST_F(SessionTrackerTest, TheNameOfASessionSurvivesARestart) {
  const Call before = place(kSystem + kUser);
  SessionTracker restarted{Pseudonyms(SecretText(std::string(32, 'k')))};
  const std::string body = R"({"model":"m","messages":[)" + kSystem + kUser + kAsk + kTool + "]}";
  const auto scan = wire::scan_request(wire::Api::chat_completions, std::string_view(body));
  Call after;
  after.id = id_of(1000);
  restarted.place(*scan, body, {}, after);
  EXPECT_EQ(after.session, before.session);
}

TEST_F(SessionTrackerTest, OldConversationsAreForgottenAndMemoryIsBounded) {
  const Call first = place(kSystem + kUser);
  for (std::size_t i = 0; i < limits::tracked_conversations_max; ++i)
    place(R"({"role":"user","content":")" + std::to_string(i) + R"("})");
  EXPECT_TRUE(place(kSystem + kUser + kAsk + kTool).parent.empty());
  static_cast<void>(first);
}

// A load test: the ring turns over within one bucket.
TEST_F(SessionTrackerTest, OneRequestOverAndOverLeavesTheLastCallsToGoOnFrom) {
  for (std::size_t i = 0; i < limits::tracked_conversations_max + 10; ++i) {
    const std::string body = R"({"messages":[)" + kUser + "]}";
    const auto scan = wire::scan_request(wire::Api::chat_completions, std::string_view(body));
    Call call;
    call.id = id_of(i);
    tracker_.place(*scan, body, {}, call);
  }
  const Call last = place(kUser);
  answer(last, R"({"role":"assistant","content":"When?"})");
  const Call next =
      place(kUser + R"(,{"role":"assistant","content":"When?"},{"role":"user","content":"x"})");
  EXPECT_EQ(next.parent, last.id);
  EXPECT_EQ(next.session, last.session);
}

}  // namespace
}  // namespace understudy::s1
