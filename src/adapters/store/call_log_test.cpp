#include "adapters/store/call_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "adapters/store/call_log_writer.hpp"
#include "adapters/store/log_index.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/ids.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::size_t end_mark_bytes = 16 + 32 + 1 + 32;  // fields, front MAC, kind, tag

class CallLogTest : public testing::Test {
 protected:
  CallLogTest() {
    std::string name = (fs::temp_directory_path() / "understudy-log-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(Home::open(directory_).value());
    EXPECT_TRUE(crypto::init_keys(home_->keys()));
    curator_ = crypto::load_secret_key(home_->keys(), crypto::Role::curator).value();
  }
  ~CallLogTest() override { fs::remove_all(directory_); }

  std::unique_ptr<CallLogWriter> open() { return CallLogWriter::open(*home_).value(); }
  static Call call(const std::string& id, std::size_t bytes = 20) {
    Call made;
    made.id = {id};
    made.request = SecretText(std::string(bytes, 'q'));
    return made;
  }
  struct Stored {
    std::vector<std::string> ids;
    LogReadReport report;
  };
  Stored stored() {
    Stored result;
    result.report = read_call_log(*home_, curator_, [&](const Call& read) -> Status {
                      result.ids.push_back(read.id.value);
                      return {};
                    }).value();
    return result;
  }
  std::vector<fs::path> segments() {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(home_->log())) paths.push_back(entry.path());
    std::ranges::sort(paths);
    return paths;
  }

  fs::path directory_;
  std::optional<Home> home_;
  crypto::SecretKey curator_;
};

TEST_F(CallLogTest, CallsOfSeveralProcessesLivesComeBackInOrder) {
  for (const std::string life : {"a", "b"}) {
    const auto log = open();
    ASSERT_TRUE(log->append(call(life + "1")));
    ASSERT_TRUE(log->append(call(life + "2")));
  }
  const Stored back = stored();
  EXPECT_THAT(back.ids, testing::ElementsAre("a1", "a2", "b1", "b2"));
  EXPECT_EQ(back.report.segments, 2u);
  EXPECT_TRUE(back.report.warnings.empty());
}

TEST_F(CallLogTest, AnyCallOfTheLogIsOpenedByItsNumber) {
  // A segment for each life.
  for (const std::string life : {"a", "b"}) {
    const auto log = open();
    for (int i = 0; i < 3; ++i) {
      Call made = call(life + std::to_string(i), 200 + static_cast<std::size_t>(i));
      made.repeated = {{.begin = 0, .bytes = 100}};
      ASSERT_TRUE(log->append(std::move(made)));
    }
  }
  LogIndex index;
  std::vector<std::string> ids;
  ASSERT_TRUE(read_call_log(*home_, curator_,
                            [&](const Call& read) -> Status {
                              ids.push_back(read.id.value);
                              return {};
                            },
                            {.open_content = false, .index = &index}));
  ASSERT_EQ(index.calls(), 6u);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto opened = open_call(*home_, curator_, index, i);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->id.value, ids[i]);
    EXPECT_EQ(opened->request.reveal(), std::string(200 + i % 3, 'q'));
  }
  EXPECT_EQ(open_call(*home_, curator_, index, 6).error().code, ErrorCode::not_found);
  fs::remove(segments().front());
  EXPECT_EQ(open_call(*home_, curator_, index, 0).error().code, ErrorCode::not_found);
  EXPECT_TRUE(open_call(*home_, curator_, index, 5));
}

TEST_F(CallLogTest, FlushMeansOnTheDisk) {
  const auto log = open();
  ASSERT_TRUE(log->append(call("a")));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(log->counters().committed, 1u);
  EXPECT_THAT(stored().ids, testing::ElementsAre("a"));  // while the writer still has it open
}

TEST_F(CallLogTest, ManyThreadsAppendAndNothingIsLost) {
  constexpr int threads = 8;
  constexpr int calls_each = 500;
  {
    const auto log = open();
    std::vector<std::jthread> workers;
    for (int worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&log, worker] {
        for (int i = 0; i < calls_each; ++i) {
          EXPECT_TRUE(log->append(call(std::to_string(worker) + "-" + std::to_string(i), 2000)));
        }
      });
    }
  }
  Stored back = stored();
  std::ranges::sort(back.ids);
  EXPECT_EQ(std::ranges::unique(back.ids).size(), 0u);
  EXPECT_EQ(back.ids.size(), static_cast<std::size_t>(threads * calls_each));
}

TEST_F(CallLogTest, AKilledWriterKeepsAllThatWasCommitted) {
  // Shared with the child: how many calls its log said were on the disk.
  auto* committed = static_cast<std::atomic<std::uint64_t>*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(committed, MAP_FAILED);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto log = open();
    for (int i = 0;; ++i) {
      if (!log->append(call(std::to_string(i), 3000))) ::_exit(1);
      committed->store(log->counters().committed);
    }
  }
  while (committed->load() < 2000) std::this_thread::yield();
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const Stored back = stored();
  EXPECT_GE(back.ids.size(), committed->load());
  EXPECT_TRUE(back.report.corrupt.empty());
  for (std::size_t i = 0; i < back.ids.size(); ++i) ASSERT_EQ(back.ids[i], std::to_string(i));
  ::munmap(committed, 4096);
}

TEST_F(CallLogTest, ADamagedSegmentIsNamedAndTheOthersAreRead) {
  for (const std::string life : {"a", "b", "c"}) {
    const auto log = open();
    ASSERT_TRUE(log->append(call(life + "1")));
    ASSERT_TRUE(log->append(call(life + "2", 3000)));
  }
  const fs::path damaged = segments()[1];
  std::string bytes = read_file(damaged).value();
  bytes[bytes.size() - end_mark_bytes - 10] ^= 1;  // in the second call, behind the first
  ASSERT_TRUE(write_file_atomically(damaged, bytes));
  Stored back = stored();
  EXPECT_THAT(back.ids, testing::ElementsAre("a1", "a2", "b1", "c1", "c2"));
  ASSERT_EQ(back.report.corrupt.size(), 1u);
  EXPECT_THAT(back.report.corrupt[0].message,
              HasSubstr(damaged.string() + ": record 2"));  // 0: the tenant
}

TEST_F(CallLogTest, ATornTailIsAWarning) {
  {
    const auto log = open();
    ASSERT_TRUE(log->append(call("a")));
    ASSERT_TRUE(log->append(call("b", 3000)));
  }
  fs::resize_file(segments()[0], fs::file_size(segments()[0]) - end_mark_bytes - 10);
  const Stored back = stored();
  EXPECT_THAT(back.ids, testing::ElementsAre("a"));
  EXPECT_TRUE(back.report.corrupt.empty());
  EXPECT_GT(back.report.lost_tail_bytes, 0u);
  EXPECT_THAT(back.report.warnings, testing::ElementsAre(HasSubstr(segments()[0].string())));
}

TEST_F(CallLogTest, AWrongKeyIsDenied) {
  {
    const auto log = open();
    ASSERT_TRUE(log->append(call("a")));
  }
  const auto trainer = crypto::load_secret_key(home_->keys(), crypto::Role::trainer).value();
  const auto denied = read_call_log(*home_, trainer, [](const Call&) -> Status { return {}; });
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, ErrorCode::denied);
}

TEST_F(CallLogTest, AFullDiskIsToldToEveryLaterCallAndKeepsTheRest) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto log = open();
  ASSERT_TRUE(log->append(call("kept")));
  ASSERT_TRUE(log->flush());
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{.rlim_cur = fs::file_size(segments()[0]) + 10, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  ASSERT_TRUE(log->append(call("lost")));
  const Status flushed = log->flush();
  const Status later = log->append(call("later"));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, ErrorCode::exhausted);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::exhausted);
  EXPECT_THAT(stored().ids, testing::ElementsAre("kept"));

  // The disk has room again: the log goes on without a restart.
  const Stopwatch waiting;
  while (!log->append(call("again")) && waiting.elapsed_s() < 10) std::this_thread::yield();
  ASSERT_TRUE(log->flush());
  EXPECT_THAT(stored().ids, testing::ElementsAre("kept", "again"));
}

TEST_F(CallLogTest, NoPromptIsReadableInTheSegments) {
  const std::string prompt = "Hanako Example, card 4111 1111 1111 1111";
  {
    const auto log = open();
    Call made = call("a");
    made.request = SecretText(R"({"messages":[{"role":"user","content":")" + prompt + "\"}]}");
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(log->append(made));
  }
  for (const fs::path& path : segments()) {
    const std::string bytes = read_file(path).value();
    EXPECT_EQ(bytes.find("Hanako"), std::string::npos);
    EXPECT_EQ(bytes.find("4111 1111"), std::string::npos);
    EXPECT_EQ(bytes.find("messages"), std::string::npos);
  }
}

}  // namespace
}  // namespace understudy::store
