#include "adapters/store/metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "adapters/store/sqlite.hpp"
#include "base/files.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class MetadataTest : public testing::Test {
 protected:
  MetadataTest() {
    std::string name = (fs::temp_directory_path() / "understudy-metadata-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(Home::open(directory_).value());
  }
  ~MetadataTest() override { fs::remove_all(directory_); }

  Metadata open() { return Metadata::open(*home_).value(); }
  static Task task(const std::string& id, std::int64_t calls) {
    Task made;
    made.id = {id};
    made.name = "task " + id;
    made.statistics.calls = calls;
    made.answer_set = {"no", "yes"};
    return made;
  }

  fs::path directory_;
  std::optional<Home> home_;
};

TEST_F(MetadataTest, AClusteringReplacesTheOneBefore) {
  Metadata metadata = open();
  ASSERT_TRUE(metadata.replace_tasks({"d-1"}, {task("t-old", 5)}, {{{"c1"}, {"t-old"}, 0.5}}));
  ASSERT_TRUE(metadata.replace_tasks({"d-2"}, {task("t-small", 1), task("t-big", 9)},
                                     {{{"c1"}, {"t-big"}, 0.75}, {{"c2"}, {}, 0.0}}));
  const auto tasks = open().tasks().value();  // another connection sees it
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].id.value, "t-big");
  EXPECT_THAT(tasks[0].answer_set, testing::ElementsAre("no", "yes"));
  const auto assignments = metadata.assignments().value();
  ASSERT_EQ(assignments.size(), 2u);
  EXPECT_EQ(assignments[0].task.value, "t-big");
  EXPECT_DOUBLE_EQ(assignments[0].confidence, 0.75);
  EXPECT_TRUE(assignments[1].task.empty());
  EXPECT_EQ(metadata.clustered_dataset()->value, "d-2");
}

TEST_F(MetadataTest, ATaskIsFoundByAnUnambiguousBeginning) {
  Metadata metadata = open();
  ASSERT_TRUE(metadata.replace_tasks({"d"}, {task("t-12ab", 1), task("t-12cd", 1)}, {}));
  EXPECT_EQ(metadata.find_task("t-12a")->id.value, "t-12ab");
  EXPECT_EQ(metadata.find_task("t-12").error().code, ErrorCode::invalid_input);
  const auto unknown = metadata.find_task("t-9");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
  EXPECT_THAT(unknown.error().hint, HasSubstr("t-12ab"));
}

TEST_F(MetadataTest, AnEmptyHomeSaysWhatToRunFirst) {
  const auto dataset = open().clustered_dataset();
  ASSERT_FALSE(dataset);
  EXPECT_EQ(dataset.error().code, ErrorCode::not_found);
  EXPECT_THAT(dataset.error().hint, HasSubstr("understudy cluster"));
}

TEST_F(MetadataTest, ArtifactsAndEvaluationsComeNewestFirst) {
  Metadata metadata = open();
  for (const std::int64_t time : {10, 30, 20}) {
    Artifact artifact;
    artifact.id = {"a-" + std::to_string(time)};
    artifact.task = {"t"};
    artifact.made_at = {time};
    ASSERT_TRUE(metadata.add_artifact(artifact));
    Evaluation evaluation;
    evaluation.task = {"t"};
    evaluation.artifact = artifact.id;
    evaluation.made_at = {time};
    evaluation.threshold = 0.1 + static_cast<double>(time) / 7;
    ASSERT_TRUE(metadata.add_evaluation(evaluation));
  }
  EXPECT_EQ(metadata.artifacts({"t"})->front().id.value, "a-30");
  EXPECT_EQ(metadata.evaluations({"t"})->front().artifact.value, "a-30");
  EXPECT_EQ(metadata.evaluations({"t"})->front().threshold, 0.1 + 30.0 / 7);  // to the last bit
  EXPECT_TRUE(metadata.artifacts({"other"})->empty());
}

TEST_F(MetadataTest, TwoWritersTakeTurns) {
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([this, writer] {
      Metadata metadata = open();
      for (int i = 0; i < 10; ++i) {
        Evaluation evaluation;
        evaluation.task = {"t"};
        evaluation.made_at = {writer * 100 + i};
        EXPECT_TRUE(metadata.add_evaluation(evaluation));
      }
    });
  }
  writers.clear();
  EXPECT_EQ(open().evaluations({"t"})->size(), 40u);
}

TEST_F(MetadataTest, AFileOfVersionZeroIsMigratedAndANewerOneRefused) {
  {
    const Sqlite database = Sqlite::open(home_->metadata().string()).value();
    ASSERT_TRUE(database.execute("PRAGMA user_version = 0"));
  }
  ASSERT_TRUE(open().add_evaluation(Evaluation{}));
  {
    const Sqlite database = Sqlite::open(home_->metadata().string()).value();
    ASSERT_TRUE(database.execute("PRAGMA user_version = 999"));
  }
  const auto newer = Metadata::open(*home_);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::unsupported);
  EXPECT_THAT(newer.error().hint, HasSubstr("newer understudy"));
  EXPECT_FALSE(fs::exists(home_->metadata().string() + ".version-999"));
}

TEST_F(MetadataTest, AFileWrittenByVersionOneIsStillRead) {
  // As version 1 made it: never change this text, or files of users stop opening.
  constexpr std::string_view version_1 = R"sql(
CREATE TABLE clustering (singleton INTEGER PRIMARY KEY CHECK (singleton = 1), dataset TEXT NOT NULL);
CREATE TABLE task (id TEXT PRIMARY KEY, calls INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE assignment (call TEXT PRIMARY KEY, task TEXT NOT NULL, confidence REAL NOT NULL);
CREATE TABLE artifact (id TEXT PRIMARY KEY, task TEXT NOT NULL, made_at INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE evaluation (number INTEGER PRIMARY KEY, task TEXT NOT NULL, made_at INTEGER NOT NULL, record TEXT NOT NULL);
INSERT INTO clustering VALUES (1, 'd-old');
INSERT INTO assignment VALUES ('c1', 't-old', 0.25);
PRAGMA user_version = 1;
)sql";
  {
    const Sqlite database = Sqlite::open(home_->metadata().string()).value();
    ASSERT_TRUE(database.execute(version_1));
  }
  const Metadata metadata = open();
  EXPECT_EQ(metadata.clustered_dataset()->value, "d-old");
  EXPECT_EQ(metadata.assignments()->front().task.value, "t-old");
  EXPECT_TRUE(metadata.refinements()->empty());  // a table of version 2

  // The copy is what it was: an older program goes on with it.
  const fs::path copy = home_->metadata().string() + ".version-1";
  const Sqlite before = Sqlite::open(copy.string()).value();
  std::string version;
  ASSERT_TRUE(before.query("PRAGMA user_version", {}, [&](const auto& row) -> Status {
    version = row[0];
    return {};
  }));
  EXPECT_EQ(version, "1");
  EXPECT_FALSE(before.execute("SELECT * FROM refinement"));
  EXPECT_TRUE(before.execute("SELECT * FROM assignment WHERE call = 'c1'"));
  // Opened again there is nothing to bring up, and no second copy.
  const auto copied_at = fs::last_write_time(copy);
  ASSERT_TRUE(Metadata::open(*home_));
  EXPECT_EQ(fs::last_write_time(copy), copied_at);
}

TEST_F(MetadataTest, AFileThatIsNoDatabaseIsCorrupt) {
  ASSERT_TRUE(write_file_atomically(home_->metadata(), std::string(5000, 'x')));
  const auto metadata = Metadata::open(*home_);
  ASSERT_FALSE(metadata);
  EXPECT_EQ(metadata.error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace understudy::store
