#include "console/refine_daemon.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace understudy::console {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr RefinePace pace{.interval = seconds(100), .daily = seconds(1000)};

RefineSigns quiet() {
  return {.log = "1", .demotions = 1, .drifts = {"t-1: old"}, .cut_off = false};
}

TEST(WhyLook, ADemotionAndFreshDriftDoNotWait) {
  RefineSigns now = quiet();
  now.demotions = 2;
  EXPECT_EQ(why_look(quiet(), now, seconds(0), pace), "a task was demoted");
  now = quiet();
  now.drifts.emplace_back("t-2: other");
  EXPECT_EQ(why_look(quiet(), now, seconds(0), pace), "a task's calls have changed");
}

TEST(WhyLook, CallsAndTurnsThatWereCutOffKeepThePace) {
  RefineSigns now = quiet();
  now.log = "2";
  EXPECT_EQ(why_look(quiet(), now, seconds(99), pace), "");
  EXPECT_EQ(why_look(quiet(), now, seconds(100), pace), "calls have come");
  now.cut_off = true;
  EXPECT_EQ(why_look(quiet(), now, seconds(100), pace), "a turn was cut off");
  EXPECT_EQ(why_look(quiet(), quiet(), seconds(999), pace), "");
  EXPECT_EQ(why_look(quiet(), quiet(), seconds(1000), pace), "a day has gone by");
}

class RefineDaemonTest : public testing::Test {
 protected:
  RefineDaemonTest() {
    std::string name = (fs::temp_directory_path() / "understudy-daemon-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(store::Home::open(directory_).value());
  }
  ~RefineDaemonTest() override {
    daemon_.reset();
    fs::remove_all(directory_);
  }
  void start(const std::string& script) {
    daemon_ = std::make_unique<RefineDaemon>(RefineDaemonOptions{
        .home = *home_, .turn = {"sh", "-c", script}, .poll = std::chrono::milliseconds(10)});
  }
  // Once a turn has been tried.
  json::value state_after_turn() const {
    while (json::find(daemon_->state(), "last") == nullptr)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return daemon_->state();
  }

  fs::path directory_;
  std::optional<store::Home> home_;
  std::unique_ptr<RefineDaemon> daemon_;
};

TEST_F(RefineDaemonTest, TellsWhatItsFirstTurnCameTo) {
  start(R"(echo '{"refinements":[],"idle":[{"name":"a"}]}')");
  const json::value state = state_after_turn();
  EXPECT_EQ(json::string_or(state, "state"), "waiting");
  EXPECT_EQ(json::string_or(*json::find(state, "last"), "why"), "the console has started");
  EXPECT_EQ(json::find_array(*json::find(state, "last"), "idle")->size(), 1U);
}

TEST_F(RefineDaemonTest, ATurnThatFailsBlocksWithItsMessageAndOneThatFindsNothingWaits) {
  start("echo 'the key is locked' >&2; exit 4");
  json::value state = state_after_turn();
  EXPECT_EQ(json::string_or(state, "state"), "blocked");
  EXPECT_THAT(json::string_or(state, "why"), HasSubstr("the key is locked"));
  start("echo 'nothing is clustered' >&2; exit 5");
  state = state_after_turn();
  EXPECT_EQ(json::string_or(state, "state"), "waiting");
  EXPECT_THAT(json::string_or(state, "why"), HasSubstr("nothing is clustered"));
}

TEST_F(RefineDaemonTest, EndsATurnUnderWay) {
  const fs::path begun = directory_ / "begun";
  start("touch " + begun.string() + "; exec sleep 60");
  while (!fs::exists(begun)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(json::string_or(daemon_->state(), "state"), "working");
  const auto before = std::chrono::steady_clock::now();
  daemon_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(20));
}

}  // namespace
}  // namespace understudy::console
