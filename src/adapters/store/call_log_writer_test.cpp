// The ring, its modes and its failures; what the segments hold is segment_test.cpp's.
#include "adapters/store/call_log_writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "adapters/crypto/record_cipher.hpp"
#include "adapters/crypto/role_keys.hpp"
#include "adapters/crypto/tenant_keys.hpp"
#include "adapters/store/audit_trail.hpp"
#include "adapters/store/call_log.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class CallLogWriterTest : public testing::Test {
 protected:
  CallLogWriterTest() {
    std::string name = (fs::temp_directory_path() / "understudy-writer-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(Home::open(directory_).value());
    EXPECT_TRUE(crypto::init_keys(home_->keys()));
  }
  ~CallLogWriterTest() override { fs::remove_all(directory_); }

  static Call call(const std::string& id, std::size_t bytes = 20) {
    Call made;
    made.id = {id};
    made.session = {"session-of-" + id.substr(0, 1)};
    made.request = SecretText(std::string(bytes, 'q'));
    return made;
  }
  struct Stored {
    std::vector<Call> calls;
    LogReadReport report;
  };
  Stored stored(crypto::Role role = crypto::Role::curator) {
    const auto key = crypto::load_secret_key(home_->keys(), role).value();
    Stored result;
    result.report = read_call_log(*home_, key, [&](Call read) -> Status {
                      result.calls.push_back(std::move(read));
                      return {};
                    }).value();
    EXPECT_TRUE(result.report.corrupt.empty());
    return result;
  }
  std::vector<std::string> ids() {
    std::vector<std::string> found;
    for (const Call& one : stored().calls) found.push_back(one.id.value);
    return found;
  }
  std::vector<SegmentInfo> segments() { return list_segments(*home_); }
  template <class Predicate>
  static bool eventually(Predicate predicate, double seconds = 20) {
    const Stopwatch watch;
    while (!predicate()) {
      if (watch.elapsed_s() > seconds) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  fs::path directory_;
  std::optional<Home> home_;
};

// A disk that is full, simulated by the process's limit on file sizes.
class FullDisk {
 public:
  explicit FullDisk(std::uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

// What malloc has given out, in MiB; 0 under AddressSanitizer.
double allocated_mib() {
  const struct mallinfo2 in_use = ::mallinfo2();
  return static_cast<double>(in_use.uordblks + in_use.hblkhd) / (1 << 20);
}

std::size_t page_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

// How many of a file's pages the page cache holds.
std::size_t cached_pages(const fs::path& path) {
  const std::size_t bytes = fs::file_size(path);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  void* mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  std::vector<unsigned char> resident((bytes + page_bytes() - 1) / page_bytes());
  EXPECT_EQ(::mincore(mapped, bytes, resident.data()), 0);
  ::munmap(mapped, bytes);
  return static_cast<std::size_t>(
      std::ranges::count_if(resident, [](unsigned char page) { return (page & 1U) != 0; }));
}

TEST_F(CallLogWriterTest, CallsAreCompressedUnlessTheyComeInAFlood) {
  const auto log = CallLogWriter::open(*home_).value();
  const auto bytes_a_call = [&](int count, std::chrono::milliseconds pause) {
    const std::uint64_t before = log->counters().log_bytes;
    for (int i = 0; i < count; ++i) {
      Call one = call("c" + std::to_string(i), 4096);
      while (!log->try_append(one)) std::this_thread::yield();
      std::this_thread::sleep_for(pause);
    }
    EXPECT_TRUE(log->flush());
    return (log->counters().log_bytes - before) / static_cast<unsigned>(count);
  };
  EXPECT_LT(bytes_a_call(30, std::chrono::milliseconds(5)), 1000u);
  EXPECT_GT(bytes_a_call(40'000, {}), 2000u);  // the first of them find what was saved up
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_LT(bytes_a_call(30, std::chrono::milliseconds(5)), 1000u);
}

TEST_F(CallLogWriterTest, WhatIsOnTheDiskLeavesThePageCache) {
  struct statfs system{};
  ASSERT_EQ(::statfs(directory_.c_str(), &system), 0);
  if (system.f_type == TMPFS_MAGIC) GTEST_SKIP() << "a tmpfs is nothing but page cache";
  auto log = CallLogWriter::open(*home_).value();
  Call large = call("large");
  large.request = SecretText(crypto::random_bytes(4 << 20));
  ASSERT_TRUE(log->append(std::move(large)));
  ASSERT_TRUE(log->flush());
  ASSERT_THAT(segments(), SizeIs(1));
  const fs::path path = segments().front().path;
  EXPECT_GT(fs::file_size(path), 4u << 20U);
  ASSERT_TRUE(log->append(call("behind it", 1 << 20)));
  ASSERT_TRUE(log->flush());
  EXPECT_LT(cached_pages(path), (1u << 20U) / page_bytes() + 64);  // one commit behind
  log.reset();
  EXPECT_LT(cached_pages(path), 64u);  // the header and the last, and some luck
}

TEST_F(CallLogWriterTest, ALargeCallLeavesNoMemoryBehind) {
  auto log = CallLogWriter::open(*home_).value();
  ASSERT_TRUE(log->append(call("small")));
  ASSERT_TRUE(log->flush());
  const double before = allocated_mib();
  ASSERT_TRUE(log->append(call("large", 40 << 20)));
  ASSERT_TRUE(log->flush());
  EXPECT_LT(allocated_mib(), before + 10);
}

TEST_F(CallLogWriterTest, AsyncCallsReachTheDiskWithoutAFlush) {
  const auto log = CallLogWriter::open(*home_).value();
  Call one = call("a");
  ASSERT_TRUE(log->try_append(one));
  ASSERT_TRUE(eventually([&] { return log->counters().committed == 1; }));
  EXPECT_THAT(ids(), ElementsAre("a"));  // while the segment is open
  const CaptureCounters counters = log->counters();
  EXPECT_EQ(counters.appended, 1u);
  EXPECT_EQ(counters.ring_records, 0u);
  EXPECT_EQ(counters.ring_bytes, 0u);
  EXPECT_EQ(counters.commits, 1u);
  EXPECT_GT(counters.log_bytes, 0u);
  EXPECT_EQ(counters.content_bytes, 20u);
  EXPECT_EQ(counters.state, LogState::ok);
}

// A kill then loses less than a machine that fails.
TEST_F(CallLogWriterTest, AsyncCallsAreWithTheSystemLongBeforeTheyAreOnTheDisk) {
  constexpr std::chrono::milliseconds soon(limits::log_commit_interval_ms / 2);
  const auto log = CallLogWriter::open(*home_).value();
  const auto is_there_soon = [&](std::uint64_t number) {
    const Stopwatch watch;
    Call one = call(std::to_string(number));
    EXPECT_TRUE(log->try_append(one));
    EXPECT_TRUE(eventually([&] { return ids().size() == number; }));
    const bool is_soon = watch.elapsed_us() < soon / std::chrono::microseconds(1);
    EXPECT_TRUE(eventually([&] { return log->counters().committed == number; }));
    return is_soon;
  };
  bool is_seen = false;  // a busy machine may need some tries
  for (std::uint64_t number = 1; !is_seen && number <= 20; ++number)
    is_seen = is_there_soon(number);
  EXPECT_TRUE(is_seen);
}

TEST_F(CallLogWriterTest, DurableCallsAreOnTheDiskWhenTheirCallbackRuns) {
  const auto log = CallLogWriter::open(*home_, {.mode = CaptureMode::durable}).value();
  std::atomic<bool> told = false;
  std::vector<std::string> seen;
  Call one = call("a");
  ASSERT_TRUE(log->try_append(one, [&](Status status) {
    EXPECT_TRUE(status);
    seen = ids();
    told = true;
  }));
  ASSERT_TRUE(eventually([&] { return told.load(); }));
  EXPECT_THAT(seen, ElementsAre("a"));
}

TEST_F(CallLogWriterTest, AFlushBringsWhatItsThreadAppendedBeforeWhateverOthersDo) {
  const auto log = CallLogWriter::open(*home_).value();
  std::atomic<int> late = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 100; ++i) {
        const auto told = std::make_shared<std::atomic<bool>>(false);
        Call one = call(std::to_string(thread) + "-" + std::to_string(i));
        while (!log->try_append(one, [told](const Status&) { *told = true; })) {
        }
        static_cast<void>(log->flush());
        if (!*told) ++late;
        for (int more = 0; more < thread * 10; ++more) {
          Call other = call("more");
          static_cast<void>(log->try_append(other));
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(late, 0);
}

// Threads encode their calls themselves then, where that needs no disk: new segments and tenants
// do.
TEST_F(CallLogWriterTest, AFloodOfManyThreadsIsStoredWholeAndEachThreadsCallsInOrder) {
  constexpr int threads_count = 4;
  constexpr int calls_count = 3000;
  const auto log =
      CallLogWriter::open(*home_, {.ring_bytes = 1 << 20, .segment_bytes = 1 << 20}).value();
  std::atomic<int> told = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < threads_count; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < calls_count; ++i) {
        Call one = call(std::to_string(thread) + "-" + std::to_string(i), 2000);
        one.request = SecretText(one.id.value + one.request.reveal());
        one.origin.tenant = "tenant-" + std::to_string(i / 500);
        Feedback word;
        word.call = one.id;
        while (!log->try_append(one, [&](const Status& stored) { told += stored ? 1 : 0; })) {
          std::this_thread::yield();
        }
        if (i % 100 == 0) static_cast<void>(log->try_append(word));
      }
    });
  }
  threads.clear();
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(told, threads_count * calls_count);
  const CaptureCounters counters = log->counters();
  EXPECT_EQ(counters.appended, counters.committed);
  EXPECT_EQ(counters.ring_bytes, 0u);
  EXPECT_GT(counters.segments, 10u);
  std::map<std::string, int> next;
  for (const Call& one : stored().calls) {
    const std::string& id = one.id.value;
    ASSERT_TRUE(one.request.reveal().starts_with(id + "q"));
    ASSERT_EQ(std::stoi(id.substr(2)), next[id.substr(0, 1)]++);
  }
  EXPECT_THAT(next, SizeIs(threads_count));
  for (const auto& [thread, count] : next) EXPECT_EQ(count, calls_count) << thread;
}

TEST_F(CallLogWriterTest, DurableCallsThatComeTogetherShareACommit) {
  const auto log = CallLogWriter::open(*home_, {.mode = CaptureMode::durable}).value();
  std::atomic<int> told = 0;
  for (int i = 0; i < 500; ++i) {
    Call one = call(std::to_string(i));
    ASSERT_TRUE(log->try_append(one, [&](const Status& status) { told += status ? 1 : 0; }));
  }
  ASSERT_TRUE(eventually([&] { return told == 500; }));
  EXPECT_LT(log->counters().commits, 250u);
}

TEST_F(CallLogWriterTest, AFullRingRefusesAndTellsWhenThereIsRoom) {
  const auto log = CallLogWriter::open(*home_, {.ring_bytes = 64 * 1024}).value();
  std::uint64_t appended = 0;
  Call refused;
  while (true) {  // faster than the writer for a moment
    refused = call(std::to_string(appended), 8000);
    if (!log->try_append(refused)) break;
    ++appended;
  }
  EXPECT_EQ(refused.request.reveal().size(), 8000u) << "it is untouched";
  EXPECT_LE(log->counters().ring_bytes, 64u * 1024);
  std::atomic<bool> room = false;
  log->when_room([&] { room = true; });
  ASSERT_TRUE(eventually([&] { return room.load(); }));
  ASSERT_TRUE(eventually([&] { return log->try_append(refused); }));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(stored().calls.size(), appended + 1);
  EXPECT_EQ(log->counters().lost, 0u);
}

TEST_F(CallLogWriterTest, RoomIsToldAtOnceWhereTheRingIsEmpty) {
  const auto log = CallLogWriter::open(*home_).value();
  std::atomic<bool> room = false;
  log->when_room([&] { room = true; });
  EXPECT_TRUE(eventually([&] { return room.load(); }));
}

TEST_F(CallLogWriterTest, LargeContentChangesHandsInsteadOfBeingCopied) {
  const auto log = CallLogWriter::open(*home_).value();
  Call small = call("small");
  Call large = call("large");
  const std::string text(limits::log_copied_bytes_max + 1, 'x');
  large.request = SecretText(text);
  ASSERT_TRUE(log->try_append(small));
  ASSERT_TRUE(log->try_append(large));
  EXPECT_FALSE(small.request.empty());
  EXPECT_TRUE(large.request.empty());
  ASSERT_TRUE(log->flush());
  EXPECT_THAT(ids(), ElementsAre("small", "large"));
}

TEST_F(CallLogWriterTest, OneCallLargerThanTheRingIsTakenAlone) {
  const auto log = CallLogWriter::open(*home_, {.ring_bytes = 64 * 1024}).value();
  Call large = call("large", 5'000'000);
  ASSERT_TRUE(log->try_append(large));
  Call next = call("next");
  while (!log->try_append(next)) std::this_thread::yield();
  ASSERT_TRUE(log->flush());
  EXPECT_THAT(ids(), ElementsAre("large", "next"));
}

TEST_F(CallLogWriterTest, AnAppenderThatMayWaitLosesNothing) {
  const auto log = CallLogWriter::open(*home_, {.ring_bytes = 16 * 1024}).value();
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(log->append(call(std::to_string(i), 3000)));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(stored().calls.size(), 300u);
}

TEST_F(CallLogWriterTest, SegmentsEndBySize) {
  {
    const auto log = CallLogWriter::open(*home_, {.segment_bytes = 20'000}).value();
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(log->append(call(std::to_string(i), 100)));
      ASSERT_TRUE(log->flush());
    }
  }
  EXPECT_GT(segments().size(), 0u);
  const Stored back = stored();
  EXPECT_EQ(back.calls.size(), 60u);
  EXPECT_EQ(back.report.closed_segments, back.report.segments);
  for (const SegmentInfo& segment : segments()) EXPECT_LT(segment.bytes, 21'000u);
}

TEST_F(CallLogWriterTest, SegmentsEndByAgeAlsoWithoutCalls) {
  const auto log = CallLogWriter::open(*home_, {.segment_age_s = 1}).value();
  ASSERT_TRUE(log->append(call("a")));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(stored().report.closed_segments, 0u);
  EXPECT_TRUE(eventually([&] { return stored().report.closed_segments == 1; }));
  ASSERT_TRUE(log->append(call("b")));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(segments().size(), 2u);
}

TEST_F(CallLogWriterTest, ARotatedKeyIsTakenWithinSeconds) {
  const auto log = CallLogWriter::open(*home_).value();
  ASSERT_TRUE(log->append(call("a")));
  ASSERT_TRUE(log->flush());
  const auto rotation = crypto::rotate_role_keys(home_->keys(), crypto::Role::curator).value();
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(log->append(call("b")));
    EXPECT_TRUE(log->flush());
    return std::ranges::any_of(segments(), [&](const SegmentInfo& segment) {
      return std::ranges::contains(segment.fingerprints, rotation.after.fingerprint());
    });
  }));
  for (const Call& one : stored().calls) EXPECT_EQ(one.content, ContentState::whole);
}

TEST_F(CallLogWriterTest, AnErasedTenantsLaterCallsGetAKeyOfTheirOwn) {
  const auto log = CallLogWriter::open(*home_).value();
  ASSERT_TRUE(log->append(call("before")));
  ASSERT_TRUE(log->flush());
  ASSERT_TRUE(crypto::erase_tenant_keys(home_->keys(), "").value());
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(log->append(call("later")));
    EXPECT_TRUE(log->flush());
    return stored().calls.back().content == ContentState::whole;
  }));
  EXPECT_EQ(stored().calls.front().content, ContentState::erased);
}

TEST_F(CallLogWriterTest, OldSegmentsAreDropped) {
  {
    ASSERT_TRUE(CallLogWriter::open(*home_).value()->append(call("old")));
  }
  {
    ASSERT_TRUE(CallLogWriter::open(*home_).value()->append(call("recent")));
  }
  const auto age = [](const fs::path& path, int days) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::days(days));
  };
  age(segments()[0].path, 40);
  age(segments()[1].path, 20);
  {
    ASSERT_TRUE(CallLogWriter::open(*home_, {.retention_days = 30}).value()->append(call("new")));
  }
  EXPECT_THAT(ids(), ElementsAre("recent", "new"));
}

TEST_F(CallLogWriterTest, AFullDiskLosesCountedCallsKeepsMemoryFlatAndRecovers) {
  const auto log = CallLogWriter::open(*home_, {.ring_bytes = 256 * 1024}).value();
  ASSERT_TRUE(log->append(call("kept")));
  ASSERT_TRUE(log->flush());
  std::atomic<int> told_lost = 0;
  {
    const FullDisk disk(segments()[0].bytes + 5000);
    for (int i = 0; i < 3000; ++i) {
      Call one = call("x" + std::to_string(i), 3000);
      one.request = SecretText(crypto::blake2b_hex(one.id.value) + one.request.reveal());
      while (!log->try_append(one, [&](const Status& s) { told_lost += s ? 0 : 1; })) {
        std::this_thread::yield();
      }
      ASSERT_LE(log->counters().ring_bytes, 256u * 1024);
    }
    ASSERT_TRUE(eventually([&] { return log->counters().ring_records == 0; }));
    const CaptureCounters counters = log->counters();
    EXPECT_EQ(counters.state, LogState::full_disk);
    EXPECT_EQ(counters.appended, 3001u);
    ASSERT_TRUE(
        eventually([&] { return log->counters().committed + log->counters().lost == 3001; }));
    EXPECT_GT(log->counters().lost, 2000u);
    EXPECT_EQ(static_cast<std::uint64_t>(told_lost.load()), log->counters().lost);
  }
  EXPECT_TRUE(eventually([&] {
    static_cast<void>(log->append(call("again")));
    return log->flush().has_value() && log->counters().state == LogState::ok;
  }));
  const Stored back = stored();
  EXPECT_EQ(back.calls.size(), log->counters().committed);
  EXPECT_EQ(back.calls.front().id.value, "kept");
  EXPECT_EQ(back.calls.back().id.value, "again");
  for (const SegmentInfo& segment : segments()) {
    EXPECT_GT(segment.bytes, 400u) << "segments without a call are removed";
  }
}

TEST_F(CallLogWriterTest, FeedbackIsBoundToItsCallsWheneverItComes) {
  const auto log = CallLogWriter::open(*home_).value();
  for (const char* id : {"a1", "a2", "b1", "c1"}) ASSERT_TRUE(log->append(call(id)));
  const auto say = [&](const std::string& id, const std::string& session, double reward,
                       std::int64_t at, const std::string& name = "reward") {
    Feedback feedback;
    feedback.call = {id};
    feedback.session = {session};
    feedback.name = name;
    feedback.reward = reward;
    feedback.comment = SecretText("the customer was delighted");
    feedback.at = {at};
    ASSERT_TRUE(log->try_append(feedback));
  };
  say("", "session-of-a", 0.25, 100);
  say("a2", "", 1, 200);
  say("b1", "", 0, 300);
  say("b1", "", 0.5, 400);              // the last word
  say("b1", "", 0.75, 500, "latency");  // no reward
  ASSERT_TRUE(log->flush());
  const Stored back = stored();
  ASSERT_THAT(back.calls, SizeIs(4));
  EXPECT_EQ(back.calls[0].reward, 0.25);
  EXPECT_EQ(back.calls[1].reward, 1.0);
  EXPECT_EQ(back.calls[2].reward, 0.5);
  EXPECT_EQ(back.calls[3].reward, std::nullopt);
  EXPECT_EQ(back.report.feedback, 5u);
  EXPECT_EQ(log->counters().committed, 4u) << "counts calls";

  say("", "session-of-a", 0, 600);  // later than what was said of a2 itself
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(stored().calls[1].reward, 0.0);

  const auto curator = crypto::load_secret_key(home_->keys(), crypto::Role::curator).value();
  EXPECT_EQ(read_feedback(*home_, curator)->front().comment.reveal(), "the customer was delighted");
  const auto auditor = crypto::load_secret_key(home_->keys(), crypto::Role::auditor).value();
  EXPECT_TRUE(read_feedback(*home_, auditor)->front().comment.empty());
  EXPECT_EQ(stored(crypto::Role::auditor).calls[2].reward, 0.5);
}

TEST_F(CallLogWriterTest, SegmentsRememberWhereTheAuditTrailStood) {
  AuditEntry entry;
  entry.what = "log cat";
  ASSERT_TRUE(append_audit(*home_, entry));
  {
    ASSERT_TRUE(CallLogWriter::open(*home_).value()->append(call("a")));
  }
  ASSERT_TRUE(append_audit(*home_, entry));
  const Stored back = stored(crypto::Role::auditor);
  ASSERT_THAT(back.report.anchors, SizeIs(1));
  EXPECT_EQ(back.report.anchors[0].lines, 1u);
  EXPECT_THAT(verify_audit(*home_, back.report.anchors)->findings, IsEmpty());
  fs::remove(home_->audit() / "trail.jsonl");
  ASSERT_TRUE(append_audit(*home_, entry));
  EXPECT_THAT(verify_audit(*home_, back.report.anchors)->findings, SizeIs(1));
}

// A child appends durable calls from several threads and is killed; every call that it was told of
// is there.
TEST_F(CallLogWriterTest, NoAcknowledgedCallIsLostInTwentyKills) {
  constexpr std::size_t acknowledged_max = 100'000;
  struct Shared {
    std::atomic<std::uint64_t> count;
    std::atomic<std::uint32_t> acknowledged[acknowledged_max];
  };
  auto* shared = static_cast<Shared*>(
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(shared, MAP_FAILED);
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t before = shared->count;
    const pid_t child = ::fork();
    if (child == 0) {
      const auto log = CallLogWriter::open(*home_, {.mode = CaptureMode::durable}).value();
      std::atomic<std::uint32_t> next = static_cast<std::uint32_t>(round) * 1'000'000;
      const auto work = [&] {
        while (true) {
          const std::uint32_t number = next++;
          Call one = call(std::to_string(number), number % 700);
          const auto done = [shared, number](const Status& status) {
            if (!status) return;
            const std::uint64_t at = shared->count.load();
            if (at >= acknowledged_max) return;
            shared->acknowledged[at] = number;
            shared->count = at + 1;
          };
          while (!log->try_append(one, done)) std::this_thread::yield();
          if (number % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
        }
      };
      const std::jthread helper(work);
      work();
    }
    const std::uint64_t enough = before + 20 + static_cast<std::uint64_t>(round) * 17;
    ASSERT_TRUE(eventually([&] { return shared->count >= enough; }));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  std::set<std::string> found;
  for (const Call& one : stored().calls) {
    found.insert(one.id.value);
    EXPECT_EQ(one.request.reveal().size(), std::stoul(one.id.value) % 700);
  }
  for (std::uint64_t i = 0; i < shared->count; ++i) {
    ASSERT_TRUE(found.contains(std::to_string(shared->acknowledged[i].load()))) << i;
  }
  ::munmap(shared, sizeof(Shared));
}

}  // namespace
}  // namespace understudy::store
