#include "live/gateway/body_memory.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace understudy::live {
namespace {

TEST(BodyMemory, IsGivenInTurnAndComesBack) {
  BodyMemory memory({.bytes = 100});
  std::optional<BodyMemory::Share> first(memory);
  EXPECT_TRUE(first->take_in_turn(80));
  BodyMemory::Share large(memory);
  EXPECT_FALSE(large.take_in_turn(90));
  BodyMemory::Share small(memory);
  EXPECT_FALSE(small.take_in_turn(10)) << "there is room, but somebody was there before";
  EXPECT_EQ(memory.counters().waiting, 2U);
  first.reset();
  EXPECT_FALSE(small.take_in_turn(10));
  EXPECT_TRUE(large.take_in_turn(90));
  EXPECT_TRUE(small.take_in_turn(10));
  EXPECT_EQ(memory.counters().used_bytes, 100U);
  EXPECT_EQ(memory.counters().waited, 2U);
}

TEST(BodyMemory, WhoGivesUpLeavesTheLine) {
  BodyMemory memory({.bytes = 100});
  BodyMemory::Share first(memory);
  EXPECT_TRUE(first.take_in_turn(80));
  std::optional<BodyMemory::Share> gone(memory);
  EXPECT_FALSE(gone->take_in_turn(90));
  BodyMemory::Share refused(memory);
  EXPECT_FALSE(refused.take_in_turn(90));
  gone.reset();
  refused.give_up();
  BodyMemory::Share small(memory);
  EXPECT_TRUE(small.take_in_turn(20));
  EXPECT_EQ(memory.counters().refused, 1U);
}

TEST(BodyMemory, OneThatIsLargerThanAllOfItHasItAlone) {
  BodyMemory memory({.bytes = 100});
  BodyMemory::Share large(memory);
  EXPECT_TRUE(large.take_in_turn(1000));
  BodyMemory::Share other(memory);
  EXPECT_FALSE(other.take_in_turn(1));
  large.shrink_to(40);
  EXPECT_TRUE(other.take_in_turn(60));
}

TEST(BodyMemory, AnAnswerGetsItAtOnceOrNotAtAll) {
  BodyMemory memory({.bytes = 100});
  BodyMemory::Share request(memory);
  EXPECT_TRUE(request.take_in_turn(60));
  BodyMemory::Share answer(memory);
  EXPECT_TRUE(answer.take_now(40));
  EXPECT_FALSE(answer.take_now(1));
  EXPECT_EQ(memory.counters().unrecorded, 1U);
  EXPECT_EQ(memory.counters().waiting, 0U);
}

}  // namespace
}  // namespace understudy::live
