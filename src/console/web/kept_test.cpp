#include "console/web/kept.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace understudy::console {
namespace {

using Number = std::shared_ptr<const int>;

Kept<int>::Make gives(int number) {
  return [number]() -> Result<Number> { return std::make_shared<const int>(number); };
}

TEST(Kept, IsMadeOncePerStamp) {
  Kept<int> kept;
  std::atomic<int> made = 0;
  const Kept<int>::Make make = [&]() -> Result<Number> {
    return std::make_shared<const int>(++made);
  };
  EXPECT_EQ(*kept.get("a", make).value(), 1);
  EXPECT_EQ(*kept.get("a", make).value(), 1);
  EXPECT_EQ(*kept.get("b", make).value(), 2);
}

TEST(Kept, TheOldOneServesWhileTheNewOneIsMade) {
  std::atomic<bool> may_end = false;
  Kept<int> kept;
  EXPECT_EQ(*kept.get("a", gives(1)).value(), 1);
  const Kept<int>::Make slow = [&]() -> Result<Number> {
    may_end.wait(false);
    return std::make_shared<const int>(2);
  };
  EXPECT_EQ(*kept.get("b", slow).value(), 1);
  EXPECT_EQ(kept.refresh("b", slow), "a") << "an event would come before there is something new";
  may_end = true;
  may_end.notify_all();
  while (kept.refresh("b", slow) != "b") std::this_thread::yield();
  EXPECT_EQ(*kept.get("b", slow).value(), 2);
}

TEST(Kept, AFailureIsSaidAndTriedAgain) {
  Kept<int> kept;
  const Kept<int>::Make fails = []() -> Result<Number> {
    return fail(ErrorCode::not_found, "no key");
  };
  EXPECT_EQ(kept.get("a", fails).error().message, "no key");
  EXPECT_EQ(*kept.get("a", gives(3)).value(), 3);
  EXPECT_EQ(kept.get("b", fails).error().message, "no key") << "not the old value in silence";
  EXPECT_EQ(*kept.get("b", gives(4)).value(), 4);
}

}  // namespace
}  // namespace understudy::console
