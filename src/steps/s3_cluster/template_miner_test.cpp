#include "steps/s3_cluster/template_miner.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace understudy::s3 {
namespace {

std::string pick(std::mt19937& random, const std::vector<std::string>& from) {
  return from[random() % from.size()];
}

std::string words(std::mt19937& random, std::size_t count) {
  static const std::vector<std::string> vocabulary = {
      "the",     "order", "never",  "came",   "please", "what", "is",      "my",
      "balance", "and",   "a",      "refund", "of",     "card", "blocked", "for",
      "two",     "days",  "travel", "to",     "Rome",   "pay"};
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? " " : "") + pick(random, vocabulary);
  return text;
}

// Mines the first half and says which share of the second half matches.
double share_of_unseen(const std::vector<std::string>& prompts) {
  const std::size_t half = prompts.size() / 2;
  const std::vector<std::string_view> seen(prompts.begin(),
                                           prompts.begin() + static_cast<std::ptrdiff_t>(half));
  const MinedTemplate mined = mine_template(seen, {});
  std::size_t matched = 0;
  for (std::size_t i = half; i < prompts.size(); ++i) {
    matched += mined.shape.match(prompts[i]).has_value() ? 1U : 0U;
  }
  return static_cast<double>(matched) / static_cast<double>(prompts.size() - half);
}

MinedTemplate mine(const std::vector<std::string>& prompts, const MinerOptions& options = {}) {
  return mine_template(std::vector<std::string_view>(prompts.begin(), prompts.end()), options);
}

TEST(TemplateMiner, FindsInlineSlots) {
  std::mt19937 random(1);
  std::vector<std::string> prompts;
  for (int i = 0; i < 40; ++i) {
    prompts.push_back("<|user|>\nCustomer: " + pick(random, {"Anna", "Bo", "Cem", "Dora May"}) +
                      std::to_string(i) + " wants: " + words(random, 2 + random() % 9) +
                      "\nAnswer with one word.\n");
  }
  const MinedTemplate mined = mine(prompts);
  EXPECT_EQ(
      mined.shape.constants(),
      (std::vector<std::string>{"<|user|>\nCustomer: ", " wants: ", "\nAnswer with one word.\n"}));
}

TEST(TemplateMiner, FindsLabelsOfSeveralVariableLines) {
  std::mt19937 random(2);
  std::vector<std::string> prompts;
  for (int i = 0; i < 40; ++i) {
    prompts.push_back("<|system|>\nExtract the invoice.\n<|user|>\nVendor: " + words(random, 2) +
                      "\nTotal: " + std::to_string(random() % 9000) + " EUR\nText: " +
                      words(random, 12) + "\n" + words(random, 3 + random() % 5) + "\n");
  }
  const MinedTemplate mined = mine(prompts);
  EXPECT_EQ(mined.shape.constants(),
            (std::vector<std::string>{"<|system|>\nExtract the invoice.\n<|user|>\nVendor: ",
                                      "\nTotal: ", " EUR\nText: ", "\n"}));
  EXPECT_EQ(share_of_unseen(prompts), 1.0);
}

TEST(TemplateMiner, WordsSharedByChanceAreNoConstants) {
  std::mt19937 random(3);
  std::vector<std::string> prompts;
  for (int i = 0; i < 60; ++i) {
    // Long enough that every prompt has "the" and "a" and a full stop.
    prompts.push_back("<|system|>\nClassify the intent.\n<|user|>\n" + words(random, 40) + ".\n");
  }
  const MinedTemplate mined = mine(prompts);
  EXPECT_EQ(mined.shape.constants(),
            (std::vector<std::string>{"<|system|>\nClassify the intent.\n<|user|>\n", "\n"}));
}

TEST(TemplateMiner, ThePrefixOfThisYearsDatesIsNoConstant) {
  std::vector<std::string> prompts;
  for (int i = 0; i < 28; ++i) {
    prompts.push_back("<|user|>\nBook for 2026-" + std::to_string(i % 12 + 10) + "-" +
                      std::to_string(i + 1) + " please\n");
  }
  const MinedTemplate mined = mine(prompts);
  EXPECT_EQ(mined.shape.constants().front(), "<|user|>\nBook for ");
  EXPECT_TRUE(mined.shape.match("<|user|>\nBook for 2027-01-01 please\n").has_value());
}

TEST(TemplateMiner, MatchesUnseenCallsOfTheSamePlace) {
  std::mt19937 random(4);
  std::vector<std::string> prompts;
  for (int i = 0; i < 60; ++i) {
    std::string code = "def run():\n";
    for (std::size_t line = random() % 20; line > 0; --line)
      code += "    " + words(random, 1 + random() % 4) + "\n";
    prompts.push_back("<|user|>\nReview the following code, and follow the check list.\n-----\n" +
                      code + "-----\n## Format example\n1. The code ...\nFile: " +
                      pick(random, {"main.py", "game.py", "food.py"}) + "\n");
  }
  EXPECT_EQ(share_of_unseen(prompts), 1.0);
  const MinedTemplate mined = mine(prompts);
  EXPECT_GT(mined.shape.constant_bytes(), 100U);
}

TEST(TemplateMiner, LeavesFewOutliersOutAndGivesConstantsUpForMany) {
  std::mt19937 random(5);
  std::vector<std::string> prompts;
  for (int i = 0; i < 100; ++i)
    prompts.push_back("<|user|>\nSummarise this article: " + words(random, 9) + "\n");
  prompts[50] = "<|user|>\nsomething else entirely\n";
  const MinedTemplate mined = mine(prompts);
  EXPECT_EQ(std::ranges::count(mined.matches, false), 1);
  EXPECT_EQ(mined.shape.constants().front(), "<|user|>\nSummarise this article: ");
  for (std::size_t i = 0; i < 30; ++i) prompts[i * 3] = "<|user|>\n" + words(random, 6) + "\n";
  const MinedTemplate loose = mine(prompts);
  EXPECT_EQ(std::ranges::count(loose.matches, false), 0);
  EXPECT_EQ(loose.shape.constants(), (std::vector<std::string>{"<|user|>\n", "\n"}));
}

TEST(TemplateMiner, EqualPromptsAreOneConstant) {
  const MinedTemplate mined = mine({"<|user|>\nhi\n", "<|user|>\nhi\n"});
  EXPECT_EQ(mined.shape.slot_count(), 0U);
  EXPECT_TRUE(mined.matches[1]);
}

TEST(TemplateMiner, NothingInCommonIsOneSlot) {
  const MinedTemplate mined = mine({"abc", "xyz", "", "0"});
  EXPECT_EQ(mined.shape.slot_count(), 1U);
  EXPECT_EQ(std::ranges::count(mined.matches, true), 4);
}

}  // namespace
}  // namespace understudy::s3
