#include "quality/audit_monitor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <random>

#include "quality/binomial.hpp"

namespace understudy::quality {
namespace {

constexpr AuditMonitor::Limits limits{.alpha = 0.05, .delta = 0.05};

// The call at which it alarms; nothing within `calls`. `rate_of`: disagreement at a call.
template <class Rate>
std::optional<int> alarms_at(unsigned seed, int calls, Rate rate_of) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> share(0, 1);
  AuditMonitor monitor(limits);
  for (int i = 0; i < calls; ++i) {
    monitor.observe(share(random) >= rate_of(i));
    if (monitor.alarm()) return i;
  }
  return std::nullopt;
}

TEST(AuditMonitor, SeldomAlarmsAtTheVeryLimit) {
  int false_alarms = 0;
  for (unsigned seed = 0; seed < 1000; ++seed)
    false_alarms += alarms_at(seed, 2000, [](int) { return limits.alpha; }).has_value() ? 1 : 0;
  EXPECT_LE(false_alarms, 50);  // delta of 1,000
}

// What a monitor without this method does: a fixed-size bound looked at after each call.
TEST(AuditMonitor, ABoundForOneLookAlarmsFarMoreOftenWhenItIsLookedAtAllTheTime) {
  int false_alarms = 0;
  constexpr int runs = 200;
  for (unsigned seed = 0; seed < runs; ++seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> share(0, 1);
    std::int64_t disagreements = 0;
    for (std::int64_t i = 1; i <= 1000; ++i) {
      disagreements += share(random) < limits.alpha ? 1 : 0;
      const Proportion seen{.successes = disagreements, .trials = i};
      if (i % 10 == 0 && lower_bound(seen, limits.delta) > limits.alpha) {
        ++false_alarms;
        break;
      }
    }
  }
  EXPECT_GT(false_alarms, 3 * static_cast<int>(limits.delta * runs));
}

TEST(AuditMonitor, LeavesAStableTaskAlone) {
  for (unsigned seed = 0; seed < 20; ++seed)
    EXPECT_FALSE(alarms_at(seed, 10'000, [](int) { return limits.alpha / 2; })) << seed;
}

TEST(AuditMonitor, SeesAChangeInMidStreamWithinTwoHundredCalls) {
  constexpr int change = 5000;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const auto at = alarms_at(seed, change + 200, [](int i) { return i < change ? 0.01 : 0.3; });
    ASSERT_TRUE(at) << seed;
    EXPECT_GE(*at, change) << seed;
  }
}

TEST(AuditMonitor, SeesASmallRiseInTime) {
  for (unsigned seed = 0; seed < 20; ++seed)
    EXPECT_TRUE(alarms_at(seed, 2000, [](int) { return 0.12; })) << seed;
}

TEST(AuditMonitor, IsAsSureAsItsArithmetic) {
  AuditMonitor monitor(limits);
  EXPECT_DOUBLE_EQ(monitor.evidence(), 1);
  monitor.observe(true);  // half of the weight is bet: the stakes' mean is lost of it
  EXPECT_NEAR(monitor.evidence(), 0.5 + 0.5 * (1 - 0.336), 1e-12);
  for (int i = 0; i < 5; ++i) monitor.observe(false);
  EXPECT_TRUE(monitor.alarm());
  EXPECT_EQ(monitor.observed(), 6);
  EXPECT_EQ(monitor.disagreements(), 5);
  for (int i = 0; i < 10'000; ++i) monitor.observe(true);
  EXPECT_TRUE(monitor.alarm()) << "an alarm stays";
  for (int i = 0; i < 10'000; ++i) monitor.observe(false);
  EXPECT_TRUE(std::isfinite(monitor.evidence()));
}

TEST(AuditMonitor, GoesOnFromWhereItWas) {
  AuditMonitor monitor(limits);
  for (int i = 0; i < 300; ++i) monitor.observe(i % 40 != 0);
  auto restored = audit_monitor_from_json(to_json(monitor));
  ASSERT_TRUE(restored);
  for (int i = 0; i < 50; ++i) {
    monitor.observe(i % 3 != 0);
    restored->observe(i % 3 != 0);
  }
  EXPECT_DOUBLE_EQ(restored->evidence(), monitor.evidence());
  EXPECT_EQ(restored->alarm(), monitor.alarm());
}

TEST(AuditMonitor, RefusesAStateThatNoneHas) {
  const json::object sound = to_json(AuditMonitor(limits)).as_object();
  EXPECT_TRUE(audit_monitor_from_json(sound));
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, json::value>>{
           {"alpha", 0},
           {"delta", 1.5},
           {"observed", -1},
           {"disagreements", 7},
           {"fortunes", json::array{1, 2}},
           {"fortunes", json::array{-1, 0, 0, 0, 0}},
           {"alarm", "no"}}) {
    json::object broken = sound;
    broken[key] = value;
    EXPECT_FALSE(audit_monitor_from_json(broken)) << key;
  }
  EXPECT_FALSE(audit_monitor_from_json(json::array{}));
}

}  // namespace
}  // namespace understudy::quality
