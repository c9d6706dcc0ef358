// Values told with others, in whole curations.
#include <gmock/gmock.h>

#include <filesystem>
#include <format>
#include <set>

#include "steps/s2_curate/curate_calls.hpp"
#include "steps/s2_curate/test_calls.hpp"

namespace understudy::s2 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// Orders of one task, of which the answer copies or works out something.
struct Orders {
  std::vector<Call> calls;
  KnownTasks tasks{.names = {"t-orders"}, .of_call = {}};

  void add(std::string_view question, std::string_view answer) {
    const std::string id = std::format("c{}", calls.size());
    tasks.of_call[hash_of_id({id})] = 1;
    calls.push_back(make_call(id, std::format("s{}", calls.size()), question, answer));
  }
  CuratedCalls paraphrased(EntityType type) const {
    CurateSettings settings;
    settings.task_actions["t-orders"] = settings.actions;
    settings.task_actions["t-orders"][static_cast<std::size_t>(type)] = Action::paraphrase;
    const CallSource source{.visit = [&](const auto& visit) -> Status {
                              for (const Call& call : calls) TRY(visit(call));
                              return {};
                            },
                            .calls = calls.size()};
    CuratedCalls result;
    auto report =
        curate_calls({.source = source,
                      .pseudonym_key = key,
                      .scratch = std::filesystem::temp_directory_path(),
                      .tasks = tasks},
                     {.threads = 2, .settings = settings}, [&](const Example& example) -> Status {
                       result.examples.push_back(example);
                       return {};
                     });
    EXPECT_TRUE(report.has_value()) << report.error().to_text();
    if (report) result.report = std::move(*report);
    return result;
  }
};

std::string text_of(const SecretText& body, std::string_view member) {
  const json::value tree = *json::parse(body.reveal());
  if (member == "request") return std::string(tree.at("messages").at(0).at("content").as_string());
  return std::string(tree.at("choices").at(0).at("message").at("content").as_string());
}

constexpr std::string_view words[] = {"amber", "birch", "cedar", "delta", "ember",
                                      "fjord", "grove", "heron", "inlet", "jetty"};

TEST(Paraphrase, TellsNumbersOfATaskWithOthersThatTheAnswerStillCopies) {
  Orders orders;
  for (int i = 0; i < 10; ++i) {
    orders.add(
        std::format("Use at most 500 words. Order {} boxes of {} for $1,{}50.50 on 2024-05-12.",
                    20 + i, words[i], i),
        std::format("{{\"boxes\": {}, \"price\": 1{}50.5}}", 20 + i, i));
  }
  const CuratedCalls result = orders.paraphrased(EntityType::plain_number);
  ASSERT_EQ(result.examples.size(), 10U);
  const ParaphraseCounts& counts = result.report.paraphrase.at("t-orders").at("number");
  EXPECT_EQ(counts.examples, 10U);
  EXPECT_EQ(counts.varied, 10U);
  std::set<std::string> answers;
  for (std::size_t i = 0; i < 10; ++i) {
    const std::string request = text_of(result.examples[i].request, "request");
    const json::value answer = *json::parse(text_of(result.examples[i].response, "response"));
    const std::int64_t boxes = answer.at("boxes").as_int64();
    EXPECT_GE(boxes, 21 + static_cast<int>(i));
    EXPECT_THAT(request, HasSubstr(std::format("Order {} boxes", boxes)));
    const std::string price = std::format("{:.2f}", answer.at("price").to_number<double>());
    EXPECT_THAT(request, HasSubstr(std::format("${},{} on 2024-05-12", price[0], price.substr(1))));
    EXPECT_THAT(request, HasSubstr("at most 500 words")) << "the task's own number stays";
    answers.insert(price);
  }
  EXPECT_GT(answers.size(), 8U);
}

TEST(Paraphrase, LeavesNumbersWhereAnswersWorkThemOut) {
  Orders orders;
  for (int i = 0; i < 10; ++i)
    orders.add(std::format("Add {} and 45 to the {}.", 20 + i, words[i]),
               std::format("{}", 65 + i));
  const CuratedCalls result = orders.paraphrased(EntityType::plain_number);
  ASSERT_EQ(result.examples.size(), 10U);
  EXPECT_THAT(text_of(result.examples[3].request, "request"), HasSubstr("Add 23 and 45"));
  const ParaphraseCounts& counts = result.report.paraphrase.at("t-orders").at("number");
  EXPECT_EQ(counts.varied, 0U);
  EXPECT_THAT(counts.kept, UnorderedElementsAre(Pair(HasSubstr("off: too many"), 10U)));
}

TEST(Paraphrase, LeavesNumbersThatWouldPassOneOfTheTemplate) {
  Orders orders;
  for (int i = 0; i < 10; ++i)
    orders.add(std::format("Over 500 needs approval. {} asks for {}.", words[i], 480 + i),
               "approve");
  const CuratedCalls result = orders.paraphrased(EntityType::plain_number);
  ASSERT_EQ(result.examples.size(), 10U);
  EXPECT_THAT(text_of(result.examples[3].request, "request"), HasSubstr("asks for 483."));
  EXPECT_EQ(result.report.paraphrase.at("t-orders").at("number").kept.at("passes_a_fixed_number"),
            10U);
}

TEST(Paraphrase, ParaphrasesPlacesWhereAnswersCopyThemOnly) {
  Orders copied;
  Orders known;
  for (int i = 0; i < 10; ++i) {
    copied.add(std::format("Ship the {} from Lisbon today.", words[i]), "from Lisbon");
    known.add(std::format("Ship the {} from Lisbon today.", words[i]), "to Vienna");
  }
  const CuratedCalls varied = copied.paraphrased(EntityType::location);
  ASSERT_EQ(varied.examples.size(), 10U);
  const std::string answer = text_of(varied.examples[0].response, "response");
  EXPECT_THAT(answer, Not(HasSubstr("Lisbon")));
  EXPECT_THAT(text_of(varied.examples[0].request, "request"), HasSubstr(answer));
  EXPECT_EQ(varied.report.paraphrase.at("t-orders").at("location").varied, 10U);
  const CuratedCalls kept = known.paraphrased(EntityType::location);
  EXPECT_THAT(text_of(kept.examples[0].request, "request"), HasSubstr("Lisbon"));
  EXPECT_EQ(kept.report.paraphrase.at("t-orders").at("location").varied, 0U);
}

}  // namespace
}  // namespace understudy::s2
