#include "steps/s6_refine/bake_off.hpp"

#include <atomic>

#include "steps/s6_refine/test_home.hpp"

namespace understudy::s6 {
namespace {

// Right about the first `right` of ten calls; counts how often it is asked.
class RightSometimes final : public lm::SmallModel {
 public:
  explicit RightSometimes(int right) : right_(right) {}
  Result<lm::Prediction> predict(const std::vector<std::string>& slots) const override {
    ++asked;
    if (right_ < 0) return fail(ErrorCode::unavailable, "away");
    const bool right = std::stoi(slots[0]) % 10 < right_;
    return lm::Prediction{.answer = {.text = right ? "Plum" : "Pear", .tool_calls = {}},
                          .confidence = right ? 0.9 : 0.5};
  }
  mutable std::atomic<int> asked = 0;

 private:
  int right_;
};

std::vector<HeldOutCall> calls_of(int count) {
  std::vector<HeldOutCall> calls;
  for (int i = 0; i < count; ++i) {
    calls.push_back({.slots = {std::to_string(i)},
                     .teacher = {.text = "Plum", .tool_calls = {}},
                     .tool_names = {}});
  }
  return calls;
}

using BakeOffTest = TestHome;

TEST_F(BakeOffTest, TheBestStaysAndTheWorseAreAskedLess) {
  const RightSometimes worst(2);
  const RightSometimes best(9);
  const RightSometimes good(7);
  const RightSometimes bad(4);
  std::vector<Contender> contenders;
  for (const auto& [id, model] : {std::pair{"worst", &worst}, std::pair{"best", &best},
                                  std::pair{"good", &good}, std::pair{"bad", &bad}}) {
    contenders.push_back({.entrant = {.artifact = {id}, .error = {}}, .model = model});
  }
  const auto entrants = halve(std::move(contenders), task_, calls_of(400), 0.05);
  ASSERT_EQ(entrants.size(), 4);
  EXPECT_EQ(entrants[0].artifact.value, "best");
  EXPECT_EQ(entrants[1].artifact.value, "good");
  EXPECT_EQ(entrants[3].artifact.value, "worst");
  EXPECT_EQ(entrants[0].calls, 400);
  EXPECT_EQ(best.asked, 400);  // each call once
  EXPECT_EQ(worst.asked, 200);
}

TEST_F(BakeOffTest, AModelThatIsAwayLeavesFirst) {
  const RightSometimes away(-1);
  const RightSometimes poor(1);
  const auto entrants = halve({{.entrant = {.artifact = {"away"}, .error = {}}, .model = &away},
                               {.entrant = {.artifact = {"poor"}, .error = {}}, .model = &poor}},
                              task_, calls_of(100), 0.05);
  EXPECT_EQ(entrants[0].artifact.value, "poor");
  EXPECT_EQ(entrants[1].error, "away");
}

TEST_F(BakeOffTest, TheWinnersCertificateSharesDeltaAmongAllThatEntered) {
  write_calls(600, {.wrong_teacher = 0});
  train_classifier();
  const ArtifactId good = artifact_.id;
  for (auto& example : training_) example.label = "Plum";
  training_[0].label = "Pear";
  artifact_.id = {"bbbbbbbbbbbb"};
  train_classifier();  // knows one word only
  const auto result = bake_off(home_, task_.id, {});
  ASSERT_TRUE(result) << result.error().to_text();
  EXPECT_EQ(result->entrants.front().artifact, good);
  EXPECT_EQ(result->winner.artifact, good);
  EXPECT_DOUBLE_EQ(result->winner.delta, 0.05);
  EXPECT_EQ(result->winner.verdict, Verdict::convert);
  const auto metadata = store::Metadata::open(home_);
  ASSERT_TRUE(metadata);
  EXPECT_EQ(metadata->evaluations(task_.id)->front().artifact, good);
}

TEST_F(BakeOffTest, ATaskWithoutAModelSaysHowToGetOne) {
  write_calls(60, {.wrong_teacher = 0});
  const auto result = bake_off(home_, task_.id, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_NE(result.error().hint.find("tune"), std::string::npos);
}

}  // namespace
}  // namespace understudy::s6
