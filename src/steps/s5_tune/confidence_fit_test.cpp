#include "steps/s5_tune/confidence_fit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quality/answer_confidence.hpp"

namespace understudy::s5 {
namespace {

// The margin tells right from wrong, the least probability does not.
std::vector<SignedAnswer> answers(std::size_t count, double share_wrong, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::vector<SignedAnswer> made;
  for (std::size_t i = 0; i < count; ++i) {
    const bool agrees = uniform(random) >= share_wrong;
    const double least = -uniform(random);
    made.push_back({.signs = *signs_of({least, -0.01}, {(agrees ? 2 : 0) + 2 * uniform(random), 8}),
                    .plain = std::exp(least),
                    .valid = true,
                    .agrees = agrees});
  }
  return made;
}

TEST(ConfidenceFit, LearnsFromTheSignsThatTell) {
  const auto model = fit_confidence(answers(200, 0.2, 1));
  ASSERT_TRUE(model);
  EXPECT_EQ(model->calls, 200);
  const auto confidence = [&](const SignedAnswer& answer) {
    return quality::answer_confidence(
        model, {.answer = {}, .confidence = answer.plain, .signs = answer.signs}, answer.valid);
  };
  double right = 0;
  double wrong = 0;
  int rights = 0;
  int wrongs = 0;
  for (const SignedAnswer& answer : answers(400, 0.2, 2)) {
    (answer.agrees ? right : wrong) += confidence(answer);
    ++(answer.agrees ? rights : wrongs);
  }
  EXPECT_GT(right / rights, 0.9);
  EXPECT_LT(wrong / wrongs, 0.5);
  EXPECT_NEAR((right + wrong) / (rights + wrongs), 0.8, 0.06) << "it is calibrated";
}

TEST(ConfidenceFit, LeavesThePlainConfidenceWhereItIsAsGood) {
  auto made = answers(200, 0.2, 3);
  for (SignedAnswer& answer : made) answer.plain = answer.agrees ? 0.9 : 0.1;
  EXPECT_FALSE(fit_confidence(made)) << "nothing sorts better than that";
}

TEST(ConfidenceFit, NeedsEnoughAnswersOfBothKinds) {
  EXPECT_FALSE(fit_confidence({}));
  EXPECT_FALSE(fit_confidence(answers(30, 0.3, 4)));
  EXPECT_FALSE(fit_confidence(answers(300, 0, 5)));
  EXPECT_FALSE(fit_confidence(answers(300, 1, 6)));
}

TEST(ConfidenceFit, IsTheSameForTheSameAnswers) {
  EXPECT_EQ(fit_confidence(answers(200, 0.2, 7)), fit_confidence(answers(200, 0.2, 7)));
}

}  // namespace
}  // namespace understudy::s5
