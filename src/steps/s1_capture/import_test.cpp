#include "steps/s1_capture/import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/call_log.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"

namespace understudy::s1 {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::string_view good_line =
    R"({"id":"call-1","source":"lab","timestamp":"2025-01-02T03:04:05Z","request":{"model":"m",)"
    R"("messages":[{"role":"system","content":"Sort."},{"role":"user","content":"b a"}]},)"
    R"("response":{"choices":[{"message":{"content":"a b"},"finish_reason":"end_turn"}],)"
    R"("usage":{"prompt_tokens":7,"completion_tokens":2}},"meta":{"run":4,"reward":1.0}})"
    "\n";

// Beside the checkout, wherever the test runs below it.
fs::path recorded_calls() {
  for (fs::path at = fs::current_path(); at != at.root_path(); at = at.parent_path()) {
    if (fs::exists(at / "shared/data/calls")) return at / "shared/data/calls";
  }
  return {};
}

class ImportTest : public testing::Test {
 protected:
  ImportTest() {
    fs::path pattern = fs::temp_directory_path() / "understudy-import-XXXXXX";
    std::string name = pattern.string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(store::Home::open(directory_ / "home").value());
    EXPECT_TRUE(crypto::init_keys(home_->keys()));
  }
  ~ImportTest() override { fs::remove_all(directory_); }

  fs::path file(const std::string& name, std::string_view content) {
    EXPECT_TRUE(write_file_atomically(directory_ / name, content));
    return directory_ / name;
  }
  std::vector<Call> stored() {
    const auto curator = crypto::load_secret_key(home_->keys(), crypto::Role::curator).value();
    std::vector<Call> calls;
    const auto report = store::read_call_log(*home_, curator, [&](Call call) -> Status {
      calls.push_back(std::move(call));
      return {};
    });
    EXPECT_TRUE(report && report->corrupt.empty() && report->warnings.empty());
    return calls;
  }

  fs::path directory_;
  std::optional<store::Home> home_;
};

TEST_F(ImportTest, ARecordBecomesACallWithItsOwnIdTimesAndOutcome) {
  const auto report = import_calls(*home_, {file("a.jsonl", good_line)});
  ASSERT_TRUE(report) << report.error().to_text();
  EXPECT_EQ(report->calls, 1u);
  const std::vector<Call> calls = stored();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].id.value, "call-1");
  EXPECT_EQ(calls[0].source, "import:a.jsonl");
  EXPECT_EQ(calls[0].session.value, "lab:2025-01-02:4");  // a bare run number needs its day
  EXPECT_EQ(calls[0].started_at, parse_iso8601("2025-01-02T03:04:05Z"));
  EXPECT_EQ(calls[0].finish_reason, "stop");
  EXPECT_EQ(calls[0].usage.prompt_tokens, 7);
  EXPECT_EQ(calls[0].reward, 1.0);
  EXPECT_THAT(calls[0].request.reveal(), HasSubstr("b a"));
}

TEST_F(ImportTest, ADataFlywheelRecordKeepsItsClientAsAPseudonym) {
  const auto path =
      file("wheel.jsonl", R"({"timestamp":1715854074,"workload_id":"router","client_id":"acme",)"
                          R"("request":{"model":"m","messages":[{"role":"user","content":"x"}]},)"
                          R"("response":{"choices":[{"message":{"content":"y"},)"
                          R"("finish_reason":"max_tokens"}]}})");
  ASSERT_TRUE(import_calls(*home_, {path}));
  const Call call = stored().at(0);
  EXPECT_EQ(call.started_at.value, 1'715'854'074'000'000);
  EXPECT_EQ(call.source, "import:wheel.jsonl/router");
  EXPECT_EQ(call.origin.tenant.size(), 16u);
  EXPECT_NE(call.origin.tenant, "acme");
  EXPECT_EQ(call.id.value.size(), 36u);
  EXPECT_EQ(call.status, CallStatus::truncated);
  EXPECT_TRUE(call.usage.estimated);
}

TEST_F(ImportTest, CallsThatContinueAConversationShareASessionWhereNoneIsNamed) {
  const auto line = [](std::string_view opening, std::string_view more) {
    return R"({"request":{"messages":[{"role":"user","content":")" + std::string(opening) +
           R"("})" + std::string(more) + R"(]},"response":{}})" + "\n";
  };
  const auto path =
      file("s.jsonl", line("one", "") + line("one", R"(,{"role":"assistant","content":"ok"})") +
                          line("two", ""));
  ASSERT_TRUE(import_calls(*home_, {path}));
  const std::vector<Call> calls = stored();
  EXPECT_EQ(calls[0].session, calls[1].session);
  EXPECT_NE(calls[0].session, calls[2].session);
}

TEST_F(ImportTest, ABadLineStopsWithFileAndLineAndKeepsTheCallsBeforeIt) {
  const std::map<std::string, std::string> bad = {
      {"not json\n", "not valid JSON"},
      {R"({"request":{"messages":[]}})", "no messages"},
      {R"({"response":{}})", "no request"},
      {"[1]", "not a JSON object"},
      {R"({"request":{"messages":[{"content":"x"}]}})", "no role"},
      {"{\"request\":{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}}", "not valid JSON"},
  };
  std::size_t kept = 0;
  for (const auto& [line, why] : bad) {
    const auto path = file("bad.jsonl", std::string(good_line) + "\n" + line);
    const auto report = import_calls(*home_, {path});
    ASSERT_FALSE(report) << line;
    EXPECT_EQ(report.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(report.error().message, HasSubstr(path.string() + ":3: "));
    EXPECT_THAT(report.error().message, HasSubstr(why));
    EXPECT_THAT(report.error().message, HasSubstr("(1 calls before it are in the log)"));
    EXPECT_FALSE(report.error().hint.empty());
    EXPECT_EQ(stored().size(), ++kept);
  }
}

TEST_F(ImportTest, MissingFilesFoldersAndHomesWithoutKeysAreNamed) {
  const auto missing = import_calls(*home_, {directory_ / "none.jsonl"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("none.jsonl"));
  const auto folder = import_calls(*home_, {directory_});
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::invalid_input);
  const auto bare = store::Home::open(directory_ / "bare").value();
  const auto keyless = import_calls(bare, {file("a.jsonl", good_line)});
  ASSERT_FALSE(keyless);
  EXPECT_EQ(keyless.error().code, ErrorCode::not_found);
  EXPECT_THAT(keyless.error().hint, HasSubstr("keys init"));
}

TEST_F(ImportTest, EmptyFilesAndSecondImportsAreWarnedAbout) {
  const auto empty = import_calls(*home_, {file("empty.jsonl", "")});
  ASSERT_TRUE(empty);
  EXPECT_THAT(empty->warnings, testing::ElementsAre(HasSubstr("is empty")));
  const auto path = file("a.jsonl", good_line);
  EXPECT_THAT(import_calls(*home_, {path})->warnings, testing::IsEmpty());
  EXPECT_THAT(import_calls(*home_, {path})->warnings,
              testing::ElementsAre(HasSubstr("imported before")));
}

TEST_F(ImportTest, EveryCallOfTheRecordedSystemsIsTaken) {
  const fs::path folder = recorded_calls();
  if (folder.empty()) GTEST_SKIP() << "there is no shared/data/calls beside this checkout";
  const std::map<std::string, std::uint64_t> counts = {
      {"metagpt_runs", 301}, {"metagpt_cache", 873}, {"tau_airline_gpt4o", 2446}, {"chatdev", 1410},
      {"crewai", 3170},      {"pydantic_ai", 1393},  {"swe_agent_log", 256}};
  std::vector<fs::path> paths;
  for (const auto& [name, count] : counts) paths.push_back(folder / (name + ".jsonl.gz"));
  const auto report = import_calls(*home_, paths);
  ASSERT_TRUE(report) << report.error().to_text();
  for (const ImportedFile& imported : report->files) {
    const std::string name = fs::path(imported.path).stem().stem().string();
    EXPECT_EQ(imported.lines, counts.at(name)) << name;
    EXPECT_EQ(imported.calls, counts.at(name)) << name;
  }
  EXPECT_EQ(stored().size(), 9849u);
}

}  // namespace
}  // namespace understudy::s1
