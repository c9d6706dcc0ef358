#include "adapters/store/audit_trail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>
#include <thread>

#include "adapters/crypto/keys.hpp"
#include "base/files.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class AuditTrailTest : public testing::Test {
 protected:
  AuditTrailTest() {
    std::string name = (fs::temp_directory_path() / "understudy-audit-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(Home::open(directory_).value());
  }
  ~AuditTrailTest() override { fs::remove_all(directory_); }

  [[nodiscard]] fs::path trail() const { return home_->audit() / "trail.jsonl"; }
  void add(const std::string& what, std::optional<std::uint64_t> calls = {}) {
    AuditEntry entry;
    entry.role = "curator";
    entry.act = "read";
    entry.what = what;
    entry.detail = "session=\"s\" {}";
    entry.calls = calls;
    ASSERT_TRUE(append_audit(*home_, entry));
  }
  AuditReport verify() { return verify_audit(*home_, {}).value(); }
  std::vector<std::string> lines() {
    std::istringstream text(read_file(trail()).value());
    std::vector<std::string> found;
    for (std::string line; std::getline(text, line);) found.push_back(line);
    return found;
  }
  void put(const std::vector<std::string>& kept) {
    std::string text;
    for (const std::string& line : kept) text += line + "\n";
    ASSERT_TRUE(write_file_atomically(trail(), text));
  }

  fs::path directory_;
  std::optional<Home> home_;
};

TEST_F(AuditTrailTest, EntriesComeBackWithWhoAndWhen) {
  add("log cat", 3);
  add("curate");
  const AuditReport report = verify();
  EXPECT_THAT(report.findings, IsEmpty());
  ASSERT_EQ(report.entries.size(), 2u);
  EXPECT_EQ(report.entries[0].what, "log cat");
  EXPECT_EQ(report.entries[0].calls, 3u);
  EXPECT_EQ(report.entries[0].detail, "session=\"s\" {}");
  EXPECT_FALSE(report.entries[0].user.empty());
  EXPECT_TRUE(report.entries[1].at.known());
  EXPECT_EQ(report.entries[1].calls, std::nullopt);
  EXPECT_EQ(report.head.lines, 2u);
  EXPECT_EQ(audit_head(*home_)->hash, report.head.hash);
}

TEST_F(AuditTrailTest, AnyChangedByteShows) {
  for (const char* what : {"one", "two", "three"}) add(what);
  const std::string sound = read_file(trail()).value();
  for (std::size_t at = 0; at < sound.size(); ++at) {
    std::string bytes = sound;
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ 1U);
    ASSERT_TRUE(write_file_atomically(trail(), bytes));
    // A newline at the very end is no part of a line.
    if (at + 1 == sound.size()) continue;
    ASSERT_THAT(verify().findings, testing::Not(IsEmpty())) << "byte " << at;
  }
}

TEST_F(AuditTrailTest, RemovedMovedAndRepeatedLinesShow) {
  for (const char* what : {"one", "two", "three", "four"}) add(what);
  const auto all = lines();
  ASSERT_EQ(all.size(), 4u);
  for (const auto& kept :
       std::vector<std::vector<std::string>>{{all[1], all[2], all[3]},
                                             {all[0], all[2], all[3]},
                                             {all[0], all[2], all[1], all[3]},
                                             {all[0], all[0], all[1], all[2], all[3]},
                                             {all[0], all[1], all[1], all[2], all[3]}}) {
    put(kept);
    EXPECT_THAT(verify().findings, testing::Not(IsEmpty()));
  }
}

TEST_F(AuditTrailTest, LinesCutOffAtTheEndShowAgainstAnAnchorOrANotedHead) {
  for (const char* what : {"one", "two", "three"}) add(what);
  const AuditHead head = audit_head(*home_).value();
  const std::vector<TrailAnchor> anchors = {
      {.segment = "x.sealed", .lines = head.lines, .head = crypto::unhex(head.hash)}};
  EXPECT_THAT(verify_audit(*home_, anchors)->findings, IsEmpty());
  EXPECT_THAT(verify_audit(*home_, anchors, head.hash)->findings, IsEmpty());
  auto kept = lines();
  kept.pop_back();
  put(kept);
  EXPECT_THAT(verify().findings, IsEmpty());  // the chain alone cannot tell: the page says so
  EXPECT_THAT(verify_audit(*home_, anchors)->findings,
              testing::ElementsAre(HasSubstr("when the trail had 3 lines")));
  EXPECT_THAT(verify_audit(*home_, {}, head.hash)->findings,
              testing::ElementsAre(HasSubstr("noted hash")));
  // Written anew, and longer: the anchored line is another one.
  for (const char* what : {"forged", "forged", "forged"}) add(what);
  EXPECT_THAT(verify().findings, IsEmpty());
  EXPECT_EQ(verify_audit(*home_, anchors)->findings.size(), 1u);
  ASSERT_TRUE(fs::remove(trail()));
  EXPECT_EQ(verify_audit(*home_, anchors)->findings.size(), 1u);
}

TEST_F(AuditTrailTest, ATornLastLineStaysAndIsNamed) {
  add("one");
  add("two");
  const std::string text = read_file(trail()).value();
  ASSERT_TRUE(write_file_atomically(trail(), text.substr(0, text.size() - 20)));
  EXPECT_THAT(verify().findings, testing::ElementsAre(HasSubstr("damaged or torn")));
  EXPECT_FALSE(audit_head(*home_));
  add("three");
  const AuditReport report = verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.warnings, testing::ElementsAre(HasSubstr("torn")));
  EXPECT_EQ(report.head.lines, 3u);
  ASSERT_EQ(lines().size(), 3u);
  auto changed = lines();
  changed[1] += "x";
  put(changed);
  EXPECT_THAT(verify().findings, testing::Not(IsEmpty()));
}

TEST_F(AuditTrailTest, ManyWritersMakeOneChain) {
  {
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < 4; ++worker) {
      threads.emplace_back([this] {
        for (int i = 0; i < 25; ++i) add("something");
      });
    }
  }
  const AuditReport report = verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.entries.size(), 100u);
}

TEST_F(AuditTrailTest, WithoutATraceThereIsAnError) {
  fs::remove_all(home_->audit());
  EXPECT_FALSE(append_audit(*home_, {}));
}

TEST_F(AuditTrailTest, AnEmptyTrailIsSound) {
  EXPECT_THAT(verify().findings, IsEmpty());
  EXPECT_EQ(audit_head(*home_)->lines, 0u);
}

}  // namespace
}  // namespace understudy::store
