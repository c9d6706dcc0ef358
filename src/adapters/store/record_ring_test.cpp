#include "adapters/store/record_ring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <map>
#include <string>
#include <thread>

namespace understudy::store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t ring_bytes = 1 << 20;

RecordView record_of(std::string_view request) {
  RecordView record;
  record.kind = segment_format::RecordKind::call;
  record.request = request;
  return record;
}

// A record that takes exactly so many bytes of the ring.
std::string request_for(std::size_t bytes) {
  return std::string(bytes - RecordRing::bytes_of(record_of("")), 'q');
}

bool put(RecordRing& ring, const std::string& request) {
  const RecordView record = record_of(request);
  auto place = ring.place_for(record);
  if (!place) return false;
  std::move(*place).add(record, nullptr, {});
  return true;
}

bool put_by_another_thread(RecordRing& ring, const std::string& request) {
  bool done = false;
  std::thread([&] { done = put(ring, request); }).join();
  return done;
}

std::vector<RecordRing::Load> taken(RecordRing& ring) {
  std::vector<RecordRing::Load> batch;
  ring.take(batch);
  return batch;
}

void give_back_all(RecordRing& ring, std::vector<RecordRing::Load> batch) {
  for (RecordRing::Load& load : batch) ring.give_back(std::move(load));
}

TEST(RecordRing, RoomIsCountedOverAllThreads) {
  RecordRing ring(ring_bytes);
  const std::string quarter = request_for(ring_bytes / 4);
  EXPECT_TRUE(put(ring, quarter));
  EXPECT_TRUE(put_by_another_thread(ring, quarter));
  EXPECT_TRUE(put_by_another_thread(ring, quarter));
  EXPECT_TRUE(put(ring, quarter));
  EXPECT_FALSE(put(ring, request_for(500)));
  EXPECT_FALSE(put_by_another_thread(ring, request_for(500)));
  EXPECT_EQ(ring.counts().bytes, ring_bytes);

  auto batch = taken(ring);
  EXPECT_TRUE(ring.is_empty());
  EXPECT_FALSE(put(ring, request_for(500))) << "what is not yet given back takes room";
  give_back_all(ring, std::move(batch));
  EXPECT_EQ(ring.counts().bytes, 0u);
  EXPECT_EQ(ring.counts().records, 0u);
  EXPECT_EQ(ring.counts().put_calls, 4u);
  EXPECT_TRUE(put(ring, request_for(500)));
}

TEST(RecordRing, WhatAThreadHoldsInAdvanceGoesToWhoNeedsIt) {
  RecordRing ring(ring_bytes);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(put_by_another_thread(ring, request_for(1000)));
  EXPECT_EQ(ring.counts().bytes, 5000u);
  EXPECT_TRUE(put(ring, request_for(ring_bytes - 5000)));
  EXPECT_EQ(ring.counts().bytes, ring_bytes);
  EXPECT_FALSE(put(ring, request_for(500)));
}

TEST(RecordRing, ARecordLargerThanTheRingIsTakenAlone) {
  RecordRing ring(ring_bytes);
  const std::string large = request_for(3 * ring_bytes);
  ASSERT_TRUE(put_by_another_thread(ring, request_for(500)));
  EXPECT_FALSE(put(ring, large));
  give_back_all(ring, taken(ring));
  EXPECT_TRUE(put(ring, large));
  EXPECT_FALSE(put_by_another_thread(ring, request_for(500)));
  give_back_all(ring, taken(ring));
  EXPECT_TRUE(put_by_another_thread(ring, request_for(500)));
}

TEST(RecordRing, APlaceThatIsNotUsedLeavesItsRoom) {
  RecordRing ring(ring_bytes);
  const std::string all = request_for(ring_bytes);
  ASSERT_TRUE(ring.place_for(record_of(all)).has_value());
  EXPECT_EQ(ring.counts().bytes, 0u);
  EXPECT_THAT(taken(ring), IsEmpty());
  EXPECT_TRUE(put_by_another_thread(ring, all));
}

TEST(RecordRing, EachThreadsRecordsComeInItsOrderAndNoneIsLost) {
  constexpr int threads = 20;  // more than there are inlets
  constexpr int records = 2000;
  RecordRing ring(64 * 1024);
  std::atomic<int> running = threads;
  std::vector<std::jthread> producers;
  for (int thread = 0; thread < threads; ++thread) {
    producers.emplace_back([&ring, &running, thread] {
      for (int i = 0; i < records; ++i) {
        const std::string request = std::to_string(thread) + " " + std::to_string(i);
        while (!put(ring, request)) std::this_thread::yield();
      }
      --running;
    });
  }
  std::map<std::string, int> next;
  while (true) {
    const bool last = running == 0;
    auto batch = taken(ring);
    for (RecordRing::Load& load : batch) {
      for (const RecordChunk::Entry& entry : load.chunk->entries()) {
        const std::string request(entry.record.request);
        const auto space = request.find(' ');
        ASSERT_EQ(next[request.substr(0, space)]++, std::stoi(request.substr(space)));
      }
      ring.give_back(std::move(load));
    }
    ASSERT_LE(ring.counts().bytes, 64u * 1024);
    if (last) break;
  }
  EXPECT_THAT(next, SizeIs(threads));
  for (const auto& [thread, count] : next) EXPECT_EQ(count, records) << thread;
  EXPECT_EQ(ring.counts().put, static_cast<std::uint64_t>(threads) * records);
  EXPECT_EQ(ring.counts().records, 0u);
  EXPECT_EQ(ring.counts().bytes, 0u);
}

// While take() waits for the inlet of the second record, the first is put into another inlet, and
// then the second: take() brings both, the first or none.
TEST(RecordRing, WhatIsTakenLacksNothingThatWasPutBefore) {
  using std::chrono::milliseconds;
  for (const bool second_has_the_lower_inlet : {true, false, true, false}) {  // their numbers wrap
    RecordRing ring(ring_bytes);
    std::latch first_has_its_inlet(1);
    std::latch second_has_its_inlet(1);
    std::latch may_put_first(1);
    std::latch may_put_second(1);
    std::atomic<bool> first_is_put = false;
    std::jthread second([&] {
      if (!second_has_the_lower_inlet) first_has_its_inlet.wait();
      const RecordView record = record_of("second");
      auto place = ring.place_for(record);
      second_has_its_inlet.count_down();
      may_put_second.wait();
      std::move(*place).add(record, nullptr, {});
    });
    std::jthread first([&] {
      if (second_has_the_lower_inlet) second_has_its_inlet.wait();
      EXPECT_TRUE(put(ring, "earlier"));
      first_has_its_inlet.count_down();
      may_put_first.wait();
      first_is_put = put(ring, "first");
    });
    first_has_its_inlet.wait();
    second_has_its_inlet.wait();
    std::vector<RecordRing::Load> batch;
    std::jthread taker([&] { ring.take(batch); });
    std::this_thread::sleep_for(milliseconds(10));  // it waits for the second's inlet
    may_put_first.count_down();
    std::this_thread::sleep_for(milliseconds(20));
    const bool was_put_before = first_is_put;
    may_put_second.count_down();
    taker.join();
    std::string all;
    for (const RecordRing::Load& load : batch) {
      for (const auto& entry : load.chunk->entries())
        all += std::string(entry.record.request) + ";";
    }
    EXPECT_FALSE(was_put_before && all.contains("second") && !all.contains("first")) << all;
  }
}

TEST(RecordRing, ChunksAreWipedAndUsedAgain) {
  RecordRing ring(ring_bytes);
  ASSERT_TRUE(put(ring, "a secret"));
  auto batch = taken(ring);
  const std::string_view text = batch.front().chunk->entries().front().record.request;
  const RecordChunk* chunk = batch.front().chunk.get();
  EXPECT_EQ(text, "a secret");
  give_back_all(ring, std::move(batch));
  EXPECT_EQ(text, std::string_view("\0\0\0\0\0\0\0\0", 8));
  ASSERT_TRUE(put(ring, "another"));
  EXPECT_EQ(taken(ring).front().chunk.get(), chunk);
}

}  // namespace
}  // namespace understudy::store
