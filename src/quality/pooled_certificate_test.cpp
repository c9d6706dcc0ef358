#include "quality/pooled_certificate.hpp"

#include <gtest/gtest.h>

#include <random>

namespace understudy::quality {
namespace {

// A task's calls: confidences on a scale of its own, disagreement growing as they fall.
struct SmallTask {
  double scale = 1;  // of the confidences
  double worst = 0;  // disagreement of the least sure calls

  [[nodiscard]] std::vector<Judged> draw(std::size_t count, std::mt19937& random) const {
    std::uniform_real_distribution<double> uniform;
    std::vector<Judged> calls;
    for (std::size_t i = 0; i < count; ++i) {
      const double sure = uniform(random);
      calls.push_back({.confidence = scale * (0.01 + 0.99 * sure),
                       .agrees = uniform(random) >= worst * (1 - sure)});
    }
    return calls;
  }
  // The disagreement of what is kept at a threshold, and how much of the task that is.
  [[nodiscard]] std::pair<double, double> kept_at(double threshold) const {
    const double from = std::clamp((threshold / scale - 0.01) / 0.99, 0.0, 1.0);
    return {worst * (1 - from) / 2, 1 - from};
  }
};

TEST(PooledCertificate, ProvesTogetherWhatNoneCouldAlone) {
  std::mt19937 random(3);
  std::vector<std::vector<Judged>> tasks;
  for (const double scale : {1.0, 0.5, 0.01})
    tasks.push_back(SmallTask{.scale = scale}.draw(25, random));
  for (const auto& task : tasks) EXPECT_FALSE(certify(task, {}).holds());
  const PooledCertificate pooled = certify_pool(tasks, {});
  EXPECT_EQ(pooled.decision.verdict, Verdict::convert);
  ASSERT_EQ(pooled.tasks.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(pooled.tasks[i].kept, 25);
    EXPECT_LE(pooled.tasks[i].threshold, 1);
  }
  EXPECT_LT(pooled.tasks[2].threshold, 0.01) << "each has a threshold on its own scale";
}

TEST(PooledCertificate, BreaksItsPromiseInAtMostDeltaOfTheDraws) {
  const Guarantee guarantee{.alpha = 0.05, .delta = 0.1};
  const std::vector<SmallTask> kinds{
      {.scale = 1, .worst = 0.02}, {.scale = 0.3, .worst = 0.06}, {.scale = 0.05, .worst = 0.12}};
  std::mt19937 random(20261128);
  int broken = 0;
  int held = 0;
  for (int draw = 0; draw < 1000; ++draw) {
    std::vector<std::vector<Judged>> tasks;
    for (const SmallTask& kind : kinds) tasks.push_back(kind.draw(80, random));
    const PooledCertificate pooled = certify_pool(tasks, guarantee);
    if (!pooled.pool.holds()) continue;
    ++held;
    double wrong = 0;
    double kept = 0;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const auto [rate, share] = kinds[i].kept_at(pooled.tasks[i].threshold);
      wrong += rate * share;
      kept += share;
    }
    broken += wrong > guarantee.alpha * kept ? 1 : 0;
  }
  EXPECT_GE(held, 500);
  EXPECT_LE(broken, 128);  // three standard deviations above delta
}

TEST(PooledCertificate, NamesATaskThatHidesBehindTheOthers) {
  std::mt19937 random(5);
  std::vector<std::vector<Judged>> tasks{SmallTask{}.draw(1000, random)};
  tasks.emplace_back();
  for (int i = 0; i < 6; ++i) tasks[1].push_back({.confidence = 1, .agrees = i % 2 == 0});
  const PooledCertificate pooled = certify_pool(tasks, {});
  ASSERT_TRUE(pooled.pool.holds());
  EXPECT_FALSE(pooled.tasks[0].hides);
  EXPECT_TRUE(pooled.tasks[1].hides);
}

TEST(PooledCertificate, FailedPredictionsAreKeptByNobody) {
  std::vector<std::vector<Judged>> tasks(
      2, std::vector<Judged>(60, {.confidence = 0.5, .agrees = true}));
  tasks[1].assign(10, {.confidence = 0, .agrees = false});
  const PooledCertificate pooled = certify_pool(tasks, {});
  EXPECT_EQ(pooled.tasks[0].kept, 60);
  EXPECT_EQ(pooled.tasks[1].kept, 0);
  EXPECT_GT(pooled.tasks[1].threshold, 1);
}

TEST(PooledCertificate, NoTasksAskForMore) {
  EXPECT_EQ(certify_pool({}, {}).decision.verdict, Verdict::needs_more_data);
}

}  // namespace
}  // namespace understudy::quality
