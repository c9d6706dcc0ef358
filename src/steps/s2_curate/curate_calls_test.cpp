#include "steps/s2_curate/curate_calls.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <format>
#include <map>
#include <set>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/test_calls.hpp"

namespace understudy::s2 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

CuratedCalls curated(std::vector<Call> calls, CurateOptions options = {.threads = 2}) {
  auto result = curate_calls(std::move(calls), key, options);
  EXPECT_TRUE(result.has_value()) << result.error().to_text();
  return std::move(result).value_or(CuratedCalls{});
}

TEST(CurateCalls, ReplacesAValueAlikeInPromptToolCallToolResultAndAnswer) {
  Call call = make_call("c1", "s1", "", "");
  call.request = SecretText(R"({"model":"m","messages":[
    {"role":"user","content":"I am Mary, my phone is +1 (415) 555-2671, mail Mary@Acme.com"},
    {"role":"assistant","tool_calls":[{"id":"t1","type":"function","function":{"name":"find",
      "arguments":"{\"mail\": \"mary@acme.com\", \"to\": \"4155552671\"}"}}]},
    {"role":"tool","tool_call_id":"t1","content":"{\"mobile\":4155552671,\"note\":\"mary\\u0040acme.com\"}"}]})");
  call.response = SecretText(response_of("Found mary@acme.com, 415.555.2671"));
  const CuratedCalls result = curated({call});
  ASSERT_EQ(result.examples.size(), 1U);
  const std::string& request = result.examples[0].request.reveal();
  const std::string& response = result.examples[0].response.reveal();
  const json::value tree = *json::parse(request);
  const json::array& messages = tree.at("messages").as_array();
  const auto arguments = *json::parse(
      std::string(messages[1].at("tool_calls").at(0).at("function").at("arguments").as_string()));
  const auto result_text = *json::parse(std::string(messages[2].at("content").as_string()));
  const std::string mail(arguments.at("mail").as_string());
  const std::string phone(arguments.at("to").as_string());

  EXPECT_NE(mail, "mary@acme.com");
  EXPECT_NE(phone, "4155552671");
  EXPECT_EQ(result_text.at("note").as_string(), mail);
  EXPECT_EQ(std::to_string(result_text.at("mobile").as_int64()), phone);
  EXPECT_THAT(response, HasSubstr(mail));
  EXPECT_THAT(response, HasSubstr(std::format("{}.{}.{}", phone.substr(0, 3), phone.substr(3, 3),
                                              phone.substr(6))));
  EXPECT_THAT(std::string(messages[0].at("content").as_string()),
              HasSubstr(std::format("+1 ({}) {}-{}", phone.substr(0, 3), phone.substr(3, 3),
                                    phone.substr(6))));
  EXPECT_THAT(request, Not(HasSubstr("ary@")));
}

TEST(CurateCalls, DropsTheLogprobsOfATextThatItChanged) {
  const auto answering = [](const char* id, const char* question) {
    Call call = make_call(id, id, question, "");
    call.response = SecretText(
        R"({"choices":[{"message":{"role":"assistant","content":"Mary Jones"},"finish_reason":"stop",)"
        R"("logprobs":{"content":[{"token":"Mar","logprob":-0.1,"bytes":[77,97,114]}]}}]})");
    return call;
  };
  Call plain = make_call("c2", "c2", "which?", "");
  plain.response = SecretText(
      R"({"choices":[{"message":{"role":"assistant","content":"yes"},"finish_reason":"stop",)"
      R"("logprobs":{"content":[{"token":"yes","logprob":-0.1}]}}]})");
  const CuratedCalls result =
      curated({answering("c1", "my name is Mary Jones, mail mary@acme.com"), plain});
  ASSERT_EQ(result.examples.size(), 2U);
  EXPECT_THAT(result.examples[0].response.reveal(), Not(HasSubstr("logprob")));
  EXPECT_THAT(result.examples[0].response.reveal(), HasSubstr("\"stop\""));
  EXPECT_THAT(result.examples[1].response.reveal(), HasSubstr("logprob"));
}

TEST(CurateCalls, ReplacesAValueThatOnlyAnotherCallExplains) {
  const CuratedCalls result =
      curated({make_call("c1", "s1", "my card is 4111111111111111", "ok"),
               make_call("c2", "s1", "charge 4111-1111-1111-1111 or 4111111111111111", "ok")});
  ASSERT_EQ(result.examples.size(), 2U);
  EXPECT_THAT(result.examples[1].request.reveal(), Not(HasSubstr("1111-1111")));
  EXPECT_THAT(result.examples[1].request.reveal(), Not(HasSubstr("4111111111111111")));
  EXPECT_EQ(result.report.distinct_values.at("card"), 1U);
}

TEST(CurateCalls, RedactsSecretsWhereverTheyAreRepeated) {
  const CuratedCalls result = curated(
      {make_call("c1", "s1", "password = \"hunter2!xyz\"", "I logged in with hunter2!xyz today")});
  ASSERT_EQ(result.examples.size(), 1U);
  EXPECT_THAT(result.examples[0].request.reveal(), HasSubstr("[REDACTED:password]"));
  EXPECT_THAT(result.examples[0].response.reveal(),
              HasSubstr("logged in with [REDACTED:password] today"));
}

TEST(CurateCalls, RedactsTheCallersNameForItself) {
  Call call = make_call("c1", "s1", "", "ok");
  call.request = SecretText(
      R"({"user":"Mary Jones","messages":[{"role":"user","content":"{\"user\":\"x\"}"}]})");
  const CuratedCalls result = curated({call});
  ASSERT_EQ(result.examples.size(), 1U);
  EXPECT_THAT(result.examples[0].request.reveal(), HasSubstr(R"("user":"[REDACTED:user]")"));
  EXPECT_THAT(result.examples[0].request.reveal(), HasSubstr(R"({\"user\":\"x\"})"));
}

TEST(CurateCalls, DropsACallInWhichAnOriginalIsLeft) {
  // The data URL is not rewritten, but it carries the address in clear.
  Call leaking = make_call("c1", "s1", "", "ok");
  leaking.request =
      SecretText(R"({"messages":[{"role":"user","content":"mary@acme.com"},)"
                 R"({"role":"user","content":"data:text/plain;base64,xx mary@acme.com"}]})");
  const CuratedCalls result = curated({leaking, make_call("c2", "s2", "mary@acme.com", "ok")});
  EXPECT_THAT(result.report.dropped, UnorderedElementsAre(Pair("pii_left", 1U)));
  ASSERT_EQ(result.examples.size(), 1U);
  EXPECT_EQ(result.examples[0].call.value, "c2");
}

TEST(CurateCalls, CountsWhatItDropsByReason) {
  std::vector<Call> calls(10, make_call("c", "s", "q", "a"));
  calls[0].status = CallStatus::upstream_error;
  calls[1].status = CallStatus::truncated;
  calls[2].status = CallStatus::cancelled;
  calls[3].human_facing = true;
  calls[4].training_allowed = false;
  calls[5].route.server = Server::slm;
  calls[6].request = SecretText("{not json");
  calls[7].response = SecretText(R"({"choices":[]})");
  calls[8].finish_reason = "length";
  const CuratedCalls result = curated(calls);
  EXPECT_THAT(result.report.dropped,
              UnorderedElementsAre(Pair("upstream_error", 1U), Pair("truncated", 2U),
                                   Pair("cancelled", 1U), Pair("human_facing", 1U),
                                   Pair("training_not_allowed", 1U), Pair("served_by_slm", 1U),
                                   Pair("unparsable", 1U), Pair("no_answer", 1U)));
  EXPECT_EQ(result.report.calls_read, 10U);
  EXPECT_EQ(result.report.calls_kept, 1U);
}

TEST(CurateCalls, MergesExactDuplicatesAndKeepsOtherAnswers) {
  Call reordered = make_call("c2", "s2", "q", "yes");
  reordered.request = SecretText(
      R"({"user":"u7","messages":[{"content":"q","role":"user"}],"model":"m","stream":true})");
  const CuratedCalls result =
      curated({make_call("c1", "s1", "q", "yes"), reordered, make_call("c3", "s3", "q", "no")});
  ASSERT_EQ(result.examples.size(), 2U);
  EXPECT_EQ(result.examples[0].repeats, 2);
  EXPECT_EQ(result.examples[1].repeats, 1);
  EXPECT_EQ(result.report.duplicates, 1U);
  EXPECT_EQ(result.report.calls_kept, 3U);
}

TEST(CurateCalls, KeepsASessionAndEqualRequestsInOneSplit) {
  std::vector<Call> calls;
  for (int session = 0; session < 300; ++session) {
    for (int step = 0; step < 3; ++step)
      calls.push_back(make_call(std::format("{}-{}", session, step), std::format("s{}", session),
                                std::format("question {} of {}", step, session), "a"));
    // Each session shares one request with its neighbour pair, with another answer.
    calls.push_back(make_call(std::format("{}-x", session), std::format("s{}", session),
                              std::format("shared {}", session / 2), std::format("{}", session)));
  }
  const CuratedCalls result = curated(calls);
  std::map<std::string, std::set<Split>> of_session;
  std::map<std::string, std::set<Split>> of_request;
  for (const Example& example : result.examples) {
    of_session[example.session.value].insert(example.split);
    of_request[example.request.reveal()].insert(example.split);
  }
  for (const auto& [name, splits] : of_session) EXPECT_EQ(splits.size(), 1U) << name;
  for (const auto& [name, splits] : of_request) EXPECT_EQ(splits.size(), 1U) << name;
  const auto total = static_cast<double>(result.report.examples);
  EXPECT_NEAR(static_cast<double>(result.report.splits.at("train")) / total, 0.70, 0.12);
  EXPECT_NEAR(static_cast<double>(result.report.splits.at("calibration")) / total, 0.18, 0.10);
  EXPECT_NEAR(static_cast<double>(result.report.splits.at("test")) / total, 0.12, 0.10);
}

TEST(CurateCalls, GivesTheSameExamplesOnOneThreadAndOnMany) {
  std::vector<Call> calls;
  for (int i = 0; i < 300; ++i)
    calls.push_back(make_call(std::format("c{}", i), std::format("s{}", i % 40),
                              std::format("write to u{}@acme.com", i % 97), "done"));
  const CuratedCalls one = curated(calls, {.threads = 1});
  const CuratedCalls many = curated(calls, {.threads = 4});
  ASSERT_EQ(one.examples.size(), many.examples.size());
  for (std::size_t i = 0; i < one.examples.size(); ++i)
    EXPECT_EQ(json::to_text(to_json(one.examples[i])), json::to_text(to_json(many.examples[i])));
}

TEST(CurateCalls, CopesWithNoCalls) {
  const CuratedCalls result = curated({});
  EXPECT_TRUE(result.examples.empty());
  EXPECT_EQ(result.report.calls_read, 0U);
}

TEST(CurateCalls, ReplacesAPersonAlikeInNameUserIdAndAddress) {
  const Call call = make_call("c1", "s1", "My name is Jane Doeringer, user jane_doeringer_17.",
                              "Dear Jane Doeringer, I wrote to jane.doeringer@acme.com.");
  const CuratedCalls result = curated({call});
  ASSERT_EQ(result.examples.size(), 1U);
  const std::string text =
      result.examples[0].request.reveal() + result.examples[0].response.reveal();
  EXPECT_THAT(text, Not(HasSubstr("Jane")));
  EXPECT_THAT(text, Not(HasSubstr("oeringer")));
  const std::string response = result.examples[0].response.reveal();
  const std::size_t dear = response.find("Dear ") + 5;
  const std::string name = response.substr(dear, response.find(',', dear) - dear);
  std::string joined = lower_ascii(name);
  joined[joined.find(' ')] = '_';
  EXPECT_THAT(text, HasSubstr("user " + joined + "_17"));
  joined[joined.find('_')] = '.';
  EXPECT_THAT(text, HasSubstr(joined + "@"));
}

TEST(CurateCalls, ReplacesANameThatIsAWordThroughoutTheCallThatSaysSo) {
  Call call = make_call("c1", "s1", "", "Daisy has no booking.");
  call.request =
      SecretText(R"({"messages":[{"role":"user","content":"{\"first_name\": \"Daisy\"}"}]})");
  const CuratedCalls result = curated({call, make_call("c2", "s2", "a field of daisies", "ok")});
  ASSERT_EQ(result.examples.size(), 2U);
  const std::string& request = result.examples[0].request.reveal();
  const std::string& response = result.examples[0].response.reveal();
  EXPECT_THAT(request, Not(HasSubstr("Daisy")));
  const std::size_t begin = response.find("content\":\"") + 10;
  const std::string name = response.substr(begin, response.find(" has no") - begin);
  EXPECT_NE(name, "Daisy");
  EXPECT_THAT(request, HasSubstr(name));
}

TEST(CurateCalls, KeepsTenantsApart) {
  std::vector<Call> calls = {
      make_call("c1", "s1", "mail mary.jones@acme.com, card 4111111111111111", "ok"),
      make_call("c2", "s2", "mail mary.jones@acme.com, card 4111111111111111", "ok"),
      make_call("c3", "s3", "mail tom@other.org about it", "ok")};
  calls[0].origin.tenant = "a";
  calls[1].origin.tenant = "b";
  calls[2].origin.tenant = "b";
  const CuratedCalls apart = curated(calls);
  ASSERT_EQ(apart.examples.size(), 3U);
  EXPECT_NE(apart.examples[0].request.reveal(), apart.examples[1].request.reveal());
  for (const Example& example : apart.examples) {
    for (const char* original : {"mary.jones", "acme", "4111111111111111", "tom@"})
      EXPECT_THAT(example.request.reveal(), Not(HasSubstr(original)));
  }
  CurateOptions project{.threads = 2, .settings = CurateSettings{}};
  project.settings->scope = SurrogateScope::project;
  const CuratedCalls together = curated(calls, project);
  // Equal calls with equal surrogates, of two tenants, are one example.
  EXPECT_EQ(together.examples.size(), 2U);
}

TEST(CurateCalls, DoesWithEachTypeWhatTheSettingsSay) {
  const std::vector<Call> calls = {
      make_call("c1", "s1", "I am Jane Doeringer, born on 1990-03-04, mary@acme.com", "ok"),
      make_call("c2", "s2", "my card is 4111111111111111", "ok")};
  CurateOptions options{.threads = 2, .settings = CurateSettings{}};
  Actions& actions = options.settings->actions;
  actions[static_cast<std::size_t>(EntityType::person)] = Action::keep;
  actions[static_cast<std::size_t>(EntityType::email)] = Action::mask;
  actions[static_cast<std::size_t>(EntityType::date_time)] = Action::surrogate;
  actions[static_cast<std::size_t>(EntityType::card)] = Action::drop;
  const CuratedCalls result = curated(calls, options);
  EXPECT_THAT(result.report.dropped, UnorderedElementsAre(Pair("pii_dropped", 1U)));
  ASSERT_EQ(result.examples.size(), 1U);
  const std::string& text = result.examples[0].request.reveal();
  EXPECT_THAT(text, HasSubstr("Jane Doeringer"));
  EXPECT_THAT(text, HasSubstr("<EMAIL_ADDRESS>"));
  EXPECT_THAT(text, Not(HasSubstr("1990-03-04")));
}

TEST(CurateCalls, KeepsRetriesAsVotes) {
  const CuratedCalls result =
      curated({make_call("c1", "s1", "q", "yes"), make_call("c2", "s2", "q", "yes"),
               make_call("c3", "s3", "q", "no")});
  ASSERT_EQ(result.examples.size(), 2U);
  EXPECT_EQ(result.examples[0].repeats, 2);
  EXPECT_EQ(result.examples[0].asked, 3);
  EXPECT_EQ(result.examples[1].asked, 3);
  EXPECT_EQ(result.report.with_other_answers, 1U);
}

TEST(CurateCalls, CapsNearDuplicatesOfTheTrainingSplit) {
  std::vector<Call> calls;
  for (int i = 0; i < 40; ++i)
    calls.push_back(make_call(std::format("c{}", i), "s1",
                              std::format("please look at the order 10000{} of this customer", i),
                              "done"));
  CurateOptions options{.threads = 2, .settings = CurateSettings{}};
  options.settings->calls_per_component_max = 5;
  bool capped = false;
  for (const char* session : {"s1", "s2", "s3", "s4"}) {  // one of them trains
    for (Call& call : calls) call.session = {session};
    const CuratedCalls result = curated(calls, options);
    if (result.report.splits.contains("train")) {
      EXPECT_EQ(result.report.splits.at("train"), 5U);
      EXPECT_EQ(result.report.dropped.at("over_cap"), 35U);
      capped = true;
    }
  }
  EXPECT_TRUE(capped);
}

TEST(CurateCalls, SurvivesBrokenDeepLargeAndEmptyBodies) {
  std::vector<Call> calls;
  calls.push_back(make_call("utf8", "s1", "", "ok"));
  calls.back().request =
      SecretText("{\"messages\":[{\"role\":\"user\",\"content\":\"caf\xe9 of mary@acme.com\"}]}");
  calls.push_back(make_call("deep", "s2", "", "ok"));
  calls.back().request = SecretText(R"({"messages":[{"role":"user","content":)" +
                                    std::string(1000, '[') + std::string(1000, ']') + "}]}");
  calls.push_back(make_call("deep inside a string", "s3",
                            std::string(1000, '[') + std::string(1000, ']'), "ok"));
  calls.push_back(make_call("large", "s4", std::string(10'000'000, 'x') + " mary@acme.com", "ok"));
  calls.push_back(make_call("empty", "s5", "", "ok"));
  calls.push_back(make_call("no messages", "s6", "", "ok"));
  calls.back().request = SecretText(R"({"messages":[]})");
  calls.push_back(make_call("image", "s7", "", "ok"));
  calls.back().request = SecretText(
      R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
      std::string(4000, 'Q') + R"("}},{"type":"text","text":"who is mary@acme.com?"}]}]})");
  const CuratedCalls result = curated(calls);
  EXPECT_EQ(result.report.calls_read, 7U);
  EXPECT_EQ(result.report.repaired, 1U);
  std::uint64_t accounted = result.report.calls_kept;
  for (const auto& [reason, count] : result.report.dropped) accounted += count;
  EXPECT_EQ(accounted, 7U);
  EXPECT_EQ(result.report.dropped.at("unparsable"), 2U) << "too deep, and without messages";
  std::size_t with_image = 0;
  for (const Example& example : result.examples) {
    EXPECT_THAT(example.request.reveal(), Not(HasSubstr("mary@acme.com")));
    if (example.request.reveal().contains(std::string(4000, 'Q'))) ++with_image;
  }
  EXPECT_EQ(with_image, 1U) << "an image stays as it is";
}

TEST(CurateCalls, SaysSoWhereTheLogLostCallsMeanwhile) {
  const std::vector<Call> calls = {make_call("c1", "s1", "a", "b"),
                                   make_call("c2", "s1", "c", "d")};
  int readings = 0;
  const CallSource source{.visit = [&](const std::function<Status(Call)>& visit) -> Status {
    if (readings++ == 0) TRY(visit(calls[0]));
    return visit(calls[1]);
  }};
  const auto report = curate_calls(
      {.source = source, .pseudonym_key = key, .scratch = std::filesystem::temp_directory_path()},
      {}, [](const Example&) -> Status { return {}; });
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::conflict);
}

TEST(CurateCalls, LeavesOutCallsThatCameMeanwhile) {
  const std::vector<Call> calls = {make_call("c1", "s1", "a", "b"), make_call("c2", "s1", "c", "d"),
                                   make_call("c3", "s1", "e", "f")};
  int readings = 0;
  const CallSource source{.visit = [&](const std::function<Status(Call)>& visit) -> Status {
    const bool second = readings++ > 0;
    TRY(visit(calls[0]));
    if (second) TRY(visit(calls[1]));
    return visit(calls[2]);
  }};
  std::vector<std::string> ids;
  const auto report = curate_calls(
      {.source = source, .pseudonym_key = key, .scratch = std::filesystem::temp_directory_path()},
      {}, [&](const Example& example) -> Status {
        ids.push_back(example.call.value);
        return {};
      });
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_EQ(ids, (std::vector<std::string>{"c1", "c3"}));
}

}  // namespace
}  // namespace understudy::s2
