#include "base/read_mostly.hpp"

#include <gtest/gtest.h>

#include <shared_mutex>
#include <thread>
#include <vector>

namespace understudy {
namespace {

TEST(ReadMostlyMutex, ReadersOfEveryThreadSeeWholeChanges) {
  ReadMostlyMutex mutex;
  int first = 0;
  int second = 0;
  std::atomic<int> halves = 0;
  {
    std::vector<std::jthread> readers;
    for (int thread = 0; thread < 10; ++thread) {  // more than it has parts
      readers.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          const std::shared_lock lock(mutex);
          if (first != second) ++halves;
        }
      });
    }
    for (int change = 0; change < 100; ++change) {
      const std::unique_lock lock(mutex);
      ++first;
      std::this_thread::yield();
      ++second;
    }
  }
  EXPECT_EQ(halves, 0);
  EXPECT_EQ(second, 100);
}

TEST(Snapshot, WhoLoadedAValueKeepsItAndOthersGetTheNext) {
  Snapshot<int> snapshot(std::make_shared<const int>(1));
  auto held = snapshot.load();
  snapshot.store(std::make_shared<const int>(2));
  EXPECT_EQ(*held, 1);
  std::jthread([&] { EXPECT_EQ(*snapshot.load(), 2); });
  EXPECT_EQ(*snapshot.load(), 2);
  EXPECT_EQ(held.use_count(), 1) << "the snapshot keeps the old one no longer";
}

TEST(Snapshot, LetsGoOfAReplacedValueWithItsLastHolder) {
  auto first = std::make_shared<const int>(1);
  const std::weak_ptr<const int> watched = first;
  Snapshot<int> snapshot(std::move(first));
  auto held = snapshot.load();
  snapshot.store(std::make_shared<const int>(2));
  EXPECT_FALSE(watched.expired());
  held.reset();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace understudy
