#include "base/stop_request.hpp"

#include <gtest/gtest.h>

namespace understudy {
namespace {

TEST(StopRequest, IsSeenWhileSomebodyLooks) {
  {
    const StopRequest held;
    EXPECT_FALSE(StopRequest::asked());
    std::raise(SIGTERM);
    EXPECT_TRUE(StopRequest::asked());
    EXPECT_EQ(StopRequest::signal(), SIGTERM);
    std::raise(SIGTERM);  // again: a launcher's, behind the user's
  }
  EXPECT_TRUE(StopRequest::asked());
  const StopRequest again;
  EXPECT_FALSE(StopRequest::asked());
}

TEST(StopRequestDeathTest, ASecondInterruptEndsTheProgram) {
  EXPECT_EXIT(
      {
        std::signal(SIGINT, SIG_DFL);  // a test's launcher may ignore it
        const StopRequest held;
        std::raise(SIGINT);
        if (StopRequest::asked()) std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(StopRequest, WhatIsIgnoredStaysSo) {
  const auto before = std::signal(SIGINT, SIG_IGN);
  {
    const StopRequest held;
    std::raise(SIGINT);
    EXPECT_FALSE(StopRequest::asked());
  }
  EXPECT_EQ(std::signal(SIGINT, before), SIG_IGN);
}

TEST(StopRequest, SignalsDoAgainWhatTheyDidBefore) {
  {
    const StopRequest held;
  }
  EXPECT_EXIT(std::raise(SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace understudy
