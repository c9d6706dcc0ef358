#include "quality/judgement.hpp"

#include <gtest/gtest.h>

namespace understudy::quality {
namespace {

TEST(Judgement, OnlyWhatIsSaidInBothOrdersCounts) {
  using enum JudgeSays;
  EXPECT_EQ(combine(equal, equal), Judgement::equal);
  EXPECT_EQ(combine(first, second), Judgement::llm_better);
  EXPECT_EQ(combine(second, first), Judgement::slm_better);
  EXPECT_EQ(combine(first, first), Judgement::inconsistent);  // it likes what stands in front
  EXPECT_EQ(combine(equal, first), Judgement::inconsistent);
  EXPECT_EQ(combine(std::nullopt, equal), Judgement::inconsistent);
}

TEST(Judgement, OneClearWordIsUnderstood) {
  EXPECT_EQ(parse_judge("Equal."), JudgeSays::equal);
  EXPECT_EQ(parse_judge("**First**"), JudgeSays::first);
  EXPECT_EQ(parse_judge("The second one."), JudgeSays::second);
  EXPECT_EQ(parse_judge("the first is as good as the second"), std::nullopt);
  EXPECT_EQ(parse_judge(""), std::nullopt);
}

TEST(Judgement, TheQuestionHoldsBothAnswersAndStaysBounded) {
  const std::string request(100'000, 'r');
  const std::string question = judge_question({.request = request, .first = "A1", .second = "B2"});
  EXPECT_LT(question.size(), 20'000);
  EXPECT_LT(question.find("A1"), question.find("B2"));
}

}  // namespace
}  // namespace understudy::quality
