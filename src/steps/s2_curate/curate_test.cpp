#include "steps/s2_curate/curate.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <optional>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/store/call_log_writer.hpp"
#include "adapters/store/dataset.hpp"

namespace understudy::s2 {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CurateTest : public testing::Test {
 protected:
  CurateTest() {
    std::string name = (fs::temp_directory_path() / "understudy-curate-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(*store::Home::open(directory_));
    EXPECT_TRUE(crypto::init_keys(home_->keys()).has_value());
  }
  ~CurateTest() override { fs::remove_all(directory_); }

  // One more segment with `count` calls.
  void record(const std::string& name, int count) {
    const auto log = store::CallLogWriter::open(*home_);
    ASSERT_TRUE(log.has_value());
    for (int i = 0; i < count; ++i) {
      Call call;
      call.id = {std::format("{}{}", name, i)};
      call.session = {std::format("{}-session-{}", name, i)};
      call.request = SecretText(std::format(
          R"({{"messages":[{{"role":"user","content":"{}{} of mary@acme.com"}}]}})", name, i));
      call.response = SecretText(
          R"({"choices":[{"message":{"role":"assistant","content":"wrote to mary@acme.com"}}]})");
      ASSERT_TRUE((*log)->append(call).has_value());
    }
  }
  std::vector<fs::path> segments() {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(home_->log())) paths.push_back(entry.path());
    std::ranges::sort(paths);
    return paths;
  }
  static void flip_byte(const fs::path& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 0x40);
    file.seekp(at);
    file.put(byte);
  }

  fs::path directory_;
  std::optional<store::Home> home_;
};

TEST_F(CurateTest, WritesADataSetThatTheTrainerReads) {
  record("a", 5);
  const auto report = curate(*home_, {});
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_EQ(report->examples, 5U);
  EXPECT_EQ(*store::current_dataset(*home_), report->dataset);
  const auto trainer = crypto::load_secret_key(home_->keys(), crypto::Role::trainer);
  const auto examples = store::read_dataset(*home_, report->dataset, *trainer);
  ASSERT_TRUE(examples.has_value()) << examples.error().to_text();
  ASSERT_EQ(examples->size(), 5U);
  EXPECT_THAT(examples->front().request.reveal(), Not(HasSubstr("mary@")));
  const auto manifest = store::read_manifest(*home_, report->dataset);
  EXPECT_EQ(json::find_integer(manifest->at("entities"), "email"), 10);
}

TEST_F(CurateTest, GivesEqualCallsTheSameDataSet) {
  record("a", 5);
  const auto first = curate(*home_, {});
  const auto second = curate(*home_, {.threads = 1});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->dataset, second->dataset);
}

TEST_F(CurateTest, SaysWhatToDoAboutAnEmptyLog) {
  const auto report = curate(*home_, {});
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::not_found);
  EXPECT_THAT(report.error().hint, HasSubstr("understudy import"));
}

TEST_F(CurateTest, ContinuesWithWhatIsReadableAndReportsTheRest) {
  record("a", 3);
  record("b", 3);
  const fs::path damaged = segments().front();
  flip_byte(damaged, static_cast<std::streamoff>(fs::file_size(damaged)) / 2);
  const auto report = curate(*home_, {});
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_GE(report->examples, 3U);
  EXPECT_LT(report->examples, 6U);
  ASSERT_EQ(report->warnings.size(), 1U);
  EXPECT_THAT(report->warnings[0], HasSubstr(damaged.filename().string()));
}

TEST_F(CurateTest, ReportsATruncatedTailAsAWarning) {
  record("a", 3);
  const fs::path cut = segments().front();
  fs::resize_file(cut, fs::file_size(cut) - 7);
  const auto report = curate(*home_, {});
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_EQ(report->warnings.size(), 1U);
}

TEST_F(CurateTest, NeedsTheCuratorsKey) {
  record("a", 1);
  fs::remove(home_->keys() / "curator.key");
  EXPECT_FALSE(curate(*home_, {}).has_value());
}

}  // namespace
}  // namespace understudy::s2
