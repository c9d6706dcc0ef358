// What no agent should send and some do: clustering neither fails nor takes forever, and counts it.
#include <gtest/gtest.h>

#include <chrono>
#include <format>
#include <string>

#include "steps/s3_cluster/call_view.hpp"
#include "steps/s3_cluster/cluster.hpp"

namespace understudy::s3 {
namespace {

constexpr std::string_view answered = R"({"choices":[{"message":{"content":"yes"}}]})";

Example call(std::size_t number, std::string request, std::string_view response = answered) {
  Example example;
  example.call = {std::format("call-{}", number)};
  example.session = {std::format("session-{}", number)};
  example.request = SecretText(std::move(request));
  example.response = SecretText(std::string(response));
  return example;
}

std::string saying(const std::string& text) {
  return json::to_text(
      json::object{{"messages", json::array{json::object{{"role", "user"}, {"content", text}}}}});
}

std::vector<Example> ordinary(std::size_t count) {
  std::vector<Example> examples;
  for (std::size_t i = 0; i < count; ++i)
    examples.push_back(call(i, saying(std::format("Is item {} of the list in stock?", i))));
  return examples;
}

Clustering clustered(const std::vector<Example>& examples) {
  const auto begin = std::chrono::steady_clock::now();
  auto made = cluster_examples(examples, {});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 60);
  EXPECT_TRUE(made.has_value());
  return made.value_or(Clustering{});
}

TEST(BadInput, UnreadableCallsAreCountedAndLeftOut) {
  std::vector<Example> examples = ordinary(20);
  const std::string deep(1000, '[');
  examples.push_back(call(100, saying("\xff\xfe")));  // invalid UTF-8
  examples.push_back(call(101, R"({"messages":[{"role":"user","content":")"
                               "\xc3"
                               R"("}]})"));
  examples.push_back(call(102, R"({"messages":)" + deep));  // 1,000 deep, cut off
  examples.push_back(call(103, R"({"messages":)" + deep + std::string(1000, ']') + "}"));
  examples.push_back(call(104, R"({"messages":[]})"));
  examples.push_back(call(105, ""));
  examples.push_back(call(106, saying("fine"), R"({"choices":[]})"));
  const Clustering made = clustered(examples);
  ASSERT_EQ(made.assignments.size(), examples.size());
  EXPECT_EQ(made.tasks.size(), 1U);
  EXPECT_EQ(made.unreadable, 7U);
  for (std::size_t i = 20; i < examples.size(); ++i)
    EXPECT_TRUE(made.assignments[i].task.empty()) << i;
}

TEST(BadInput, EmptyMessagesAndImagesAreCalls) {
  std::vector<Example> examples;
  for (std::size_t i = 0; i < 12; ++i) {
    examples.push_back(call(i, R"({"messages":[{"role":"user","content":""}]})"));
    examples.push_back(call(
        100 + i,
        std::format(R"({{"messages":[{{"role":"user","content":[{{"type":"text","text":"What is )"
                    R"(on picture {}?"}},{{"type":"image_url","image_url":{{"url":)"
                    R"("data:image/png;base64,AAAA"}}}}]}}]}})",
                    i)));
  }
  const Clustering made = clustered(examples);
  EXPECT_EQ(made.unreadable, 0U);
  EXPECT_EQ(made.with_images, 12U);
}

TEST(BadInput, LongStringsTakeSecondsNotHours) {
  constexpr std::size_t bytes = 10'000'000;
  std::string lines;
  while (lines.size() < bytes) lines += "a\n";
  std::string quotes;
  while (quotes.size() < bytes) quotes += "\"`";
  for (const std::string& text : {std::string(bytes, 'x'), lines, quotes}) {
    std::vector<Example> examples = ordinary(12);
    for (std::size_t i = 0; i < 5; ++i)
      examples.push_back(call(100 + i, saying(std::to_string(i) + text + std::to_string(i))));
    const Clustering made = clustered(examples);
    EXPECT_EQ(made.unreadable, 0U);
    EXPECT_GE(made.tasks.size(), 1U);
  }
}

TEST(BadInput, ThousandsOfMessagesAreNotQuadratic) {
  json::array messages;
  for (int i = 0; i < 60'000; ++i) {
    messages.push_back(json::object{
        {"role", "user"}, {"content", std::string(static_cast<std::size_t>(i % 97), 'w') + " w"}});
  }
  const std::string request = json::to_text(json::object{{"messages", messages}});
  std::vector<Example> examples;
  for (std::size_t i = 0; i < 5; ++i) examples.push_back(call(i, request));
  EXPECT_EQ(clustered(examples).unreadable, 0U);
}

}  // namespace
}  // namespace understudy::s3
