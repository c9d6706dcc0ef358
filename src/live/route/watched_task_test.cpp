#include "live/route/watched_task.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace understudy::live {
namespace {

using testing::HasSubstr;

class SlotDrift : public testing::Test {
 protected:
  SlotDrift() {
    policy_.task = {"t-1"};
    policy_.expected_slots = {{.median = 10, .longest = 20}, {.median = 5, .longest = 5}};
  }
  // What a window of calls with values so long says, when each is looked at.
  std::string drift_of(const std::function<std::size_t(int)>& bytes_of_first) {
    WatchedTask watched(policy_, std::nullopt);
    for (int call = 0; call < 1000; ++call) {
      watched.matched({std::string(bytes_of_first(call), 'x'), "fixed"});
      watched.look_for_drift(call + 1);
    }
    EXPECT_EQ(watched.record().matched, 1000);
    return watched.record().drift;
  }

  TaskPolicy policy_;
};

TEST_F(SlotDrift, ValuesAsLongAsBeforeAreQuiet) {
  EXPECT_EQ(drift_of([](int call) { return 5 + call % 11; }), "");
  EXPECT_EQ(drift_of([](int) { return 10; }), "");
  // One in a hundred is longer than any before: that is how samples are.
  EXPECT_EQ(drift_of([](int call) { return call % 100 == 0 ? 30 : 5 + call % 11; }), "");
}

TEST_F(SlotDrift, LongerShorterAndUnheardOfValuesAreSaid) {
  EXPECT_THAT(drift_of([](int call) { return 11 + call % 9; }),
              HasSubstr("400 of 400 values of slot 1 are longer than the 10 bytes"));
  EXPECT_THAT(drift_of([](int) { return 3; }), HasSubstr("are shorter than the 10 bytes"));
  EXPECT_THAT(drift_of([](int call) { return call % 4 == 0 ? 300 : 9; }),
              HasSubstr("longer than any before (20 bytes)"));
}

TEST_F(SlotDrift, WhatIsNotKnownIsNotJudged) {
  policy_.expected_slots.clear();
  EXPECT_EQ(drift_of([](int) { return 1000; }), "");
}

}  // namespace
}  // namespace understudy::live
