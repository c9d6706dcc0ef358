#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/pool.hpp"
#include "base/secret.hpp"

namespace understudy {
namespace {

TEST(Clock, ReadsWhatItWrites) {
  const UnixMicros time{1'789'012'345'678'901};
  EXPECT_EQ(parse_iso8601(to_iso8601(time)), time);
}

TEST(Clock, ReadsTheFormsThatAgentsLog) {
  EXPECT_EQ(parse_iso8601("2024-01-03T10:58:22+08:00"), parse_iso8601("2024-01-03T02:58:22Z"));
  EXPECT_EQ(parse_iso8601("2023-09-10T12:52:17.758+08:00"),
            parse_iso8601("2023-09-10 04:52:17.758"));
  EXPECT_EQ(parse_iso8601("2026-06-02T21:02:25-0330"), parse_iso8601("2026-06-03T00:32:25"));
}

TEST(Clock, RefusesWhatIsNoTime) {
  for (const char* text : {"", "now", "2024-13-01T00:00:00", "2024-02-30T00:00:00",
                           "2024-01-01T25:00:00", "2024-01-01", "2024-01-01T00:00:00 tail"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

TEST(Ids, Uuid7SortsByTimeAndCarriesItsVersion) {
  const std::string first = make_uuid7();
  EXPECT_EQ(first.size(), 36U);
  EXPECT_EQ(first[14], '7');
  EXPECT_THAT(std::string("89ab"), testing::HasSubstr(std::string(1, first[19])));
  EXPECT_NE(first, make_uuid7());
  EXPECT_LE(first.substr(0, 13), make_uuid7().substr(0, 13));
}

TEST(Json, CanonicalTextIgnoresKeyOrderAndTheSpellingOfWholeNumbers) {
  const auto a = json::parse(R"({"b": [1.0, 2], "a": {"y": null, "x": "é"}})");
  const auto b = json::parse(R"({"a":{"x":"\u00e9","y":null},"b":[1,2.0]})");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(json::to_canonical(*a), json::to_canonical(*b));
  EXPECT_NE(json::to_canonical(*json::parse("[1,2]")), json::to_canonical(*json::parse("[2,1]")));
}

TEST(Json, SaysWhereParsingStopped) {
  const auto broken = json::parse(R"({"a": tru})");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(broken.error().message, testing::HasSubstr("byte"));
  EXPECT_FALSE(json::parse(std::string(100, '[')));
  EXPECT_FALSE(json::parse("{} x"));
  EXPECT_FALSE(json::parse(""));
}

TEST(Json, LooksUpWithoutThrowing) {
  const auto tree = *json::parse(R"({"n": 3, "f": 2.5, "s": "t", "z": null, "big": 1e30})");
  EXPECT_EQ(json::find_integer(tree, "n"), 3);
  EXPECT_EQ(json::find_number(tree, "f"), 2.5);
  EXPECT_EQ(json::find_integer(tree, "f"), std::nullopt);
  EXPECT_EQ(json::find_integer(tree, "big"), std::nullopt);
  EXPECT_EQ(json::find_string(tree, "n"), std::nullopt);
  EXPECT_EQ(json::find(tree, "z"), nullptr);
  EXPECT_EQ(json::string_or(json::value(1), "s", "none"), "none");
}

TEST(Secret, WipesItsBytesAndMovesThem) {
  SecretText first(std::string(64, 'x'));
  const SecretText second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(second.reveal(), std::string(64, 'x'));
  std::string text(100, 'y');
  const char* bytes = text.data();
  wipe(text);
  EXPECT_EQ(bytes[50], '\0');
}

TEST(Pool, RunsEveryIndexOnce) {
  Pool pool(3);
  std::vector<std::atomic<int>> seen(1000);
  pool.for_each(seen.size(), [&](std::size_t i) { ++seen[i]; });
  for (const auto& count : seen) EXPECT_EQ(count, 1);
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/understudy-files-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
};

TEST_F(Files, ReplacesWholeFilesWithTheRightMode) {
  const auto path = directory_ / "key";
  ASSERT_TRUE(write_file_atomically(path, "old", FileMode::owner_only));
  ASSERT_TRUE(write_file_atomically(path, "new", FileMode::owner_only));
  EXPECT_EQ(*read_file(path), "new");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "key.new"));
}

TEST_F(Files, NamesTheFileThatIsMissing) {
  const auto missing = read_file(directory_ / "no.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("no.toml"));
  EXPECT_EQ(read_file(directory_).error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace understudy
