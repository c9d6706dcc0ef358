#include "steps/s1_capture/recorder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"

namespace understudy::s1 {
namespace {

namespace fs = std::filesystem;

class RecorderTest : public testing::Test {
 protected:
  RecorderTest() {
    std::string name = (fs::temp_directory_path() / "understudy-recorder-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(store::Home::open(directory_).value());
    EXPECT_TRUE(crypto::init_keys(home_->keys()));
  }
  ~RecorderTest() override { fs::remove_all(directory_); }

  static Call call(std::size_t bytes = 100) {
    Call made;
    made.request = SecretText(std::string(bytes, 'q'));
    return made;
  }
  std::vector<Call> stored() {
    const auto key = crypto::load_secret_key(home_->keys(), crypto::Role::curator).value();
    std::vector<Call> calls;
    EXPECT_TRUE(store::read_call_log(*home_, key, [&](Call one) -> Status {
      calls.push_back(std::move(one));
      return {};
    }));
    return calls;
  }

  fs::path directory_;
  std::optional<store::Home> home_;
};

TEST_F(RecorderTest, ACallWithoutIdAndSessionGetsThem) {
  const auto recorder = Recorder::open(*home_).value();
  Call one = call();
  ASSERT_TRUE(recorder->try_record(one));
  ASSERT_TRUE(recorder->flush());
  EXPECT_EQ(stored().at(0).id.value.size(), 36u);
  EXPECT_EQ(stored().at(0).session.value, "s-" + stored().at(0).id.value);
  EXPECT_EQ(recorder->committed(), 1u);
}

TEST_F(RecorderTest, OffRecordsNothingAndSaysSoAtOnce) {
  const auto recorder = Recorder::open(*home_, {.mode = CaptureMode::off}).value();
  bool told = false;
  Call one = call();
  EXPECT_TRUE(recorder->try_record(one, [&](const Status& status) { told = status.has_value(); }));
  EXPECT_TRUE(told);
  Feedback feedback;
  EXPECT_TRUE(recorder->record_feedback(feedback));
  ASSERT_TRUE(recorder->flush());
  EXPECT_TRUE(stored().empty());
}

TEST_F(RecorderTest, DropCountsWhatFindsNoRoomAndWaitDoesNot) {
  for (const WhenFull when_full : {WhenFull::drop, WhenFull::wait}) {
    const auto recorder =
        Recorder::open(*home_, {.when_full = when_full, .ring_bytes = 32 * 1024}).value();
    std::uint64_t refused = 0;
    for (int i = 0; i < 20'000 && refused < 3; ++i) {
      Call one = call(8000);
      if (!recorder->try_record(one)) ++refused;
    }
    ASSERT_EQ(refused, 3u);
    EXPECT_EQ(recorder->counters().dropped, when_full == WhenFull::drop ? 3u : 0u);
  }
}

TEST_F(RecorderTest, FeedbackReachesItsSession) {
  const auto recorder = Recorder::open(*home_).value();
  Call one = call();
  one.session = {"s"};
  ASSERT_TRUE(recorder->try_record(one));
  Feedback feedback;
  feedback.session = {"s"};
  feedback.reward = 0.5;
  feedback.at = {1};
  ASSERT_TRUE(recorder->record_feedback(feedback));
  ASSERT_TRUE(recorder->flush());
  EXPECT_EQ(stored().at(0).reward, 0.5);
}

}  // namespace
}  // namespace understudy::s1
