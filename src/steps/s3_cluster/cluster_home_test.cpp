// Step S3 against a real home directory: data set in, tasks, assignments and examples out.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <format>
#include <optional>
#include <string>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "steps/s3_cluster/cluster.hpp"
#include "steps/s3_cluster/task_examples.hpp"

namespace understudy::s3 {
namespace {

namespace fs = std::filesystem;

Example labelled(int number) {
  Example example;
  example.call = {std::format("call-{:04}", number)};
  example.session = {std::format("session-{}", number / 3)};
  example.request = SecretText(
      std::format(R"({{"messages":[{{"role":"system","content":"Name the colour of the fruit."}},)"
                  R"({{"role":"user","content":"fruit {} of crate {}"}}]}})",
                  std::string(1 + static_cast<std::size_t>(number) % 17, 'f'), number));
  example.response = SecretText(std::format(R"({{"choices":[{{"message":{{"content":"{}"}}}}]}})",
                                            number % 3 == 0 ? "red" : "green"));
  return example;
}

class ClusterHome : public testing::Test {
 protected:
  ClusterHome() {
    std::string name = (fs::temp_directory_path() / "understudy-cluster-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(store::Home::open(directory_ / "home").value());
    EXPECT_TRUE(crypto::init_keys(home_->keys()));
  }
  ~ClusterHome() override { fs::remove_all(directory_); }

  void write(int count) {
    std::vector<Example> examples;
    for (int i = 0; i < count; ++i) examples.push_back(labelled(i));
    const std::array readers{crypto::load_public_key(home_->keys(), crypto::Role::curator).value()};
    ASSERT_TRUE(store::write_dataset(*home_, readers, examples, {}));
  }

  fs::path directory_;
  std::optional<store::Home> home_;
};

TEST_F(ClusterHome, StoresTasksAndShowsTheirExamples) {
  write(60);
  const auto report = cluster(*home_, {});
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_EQ(report->calls, 60);
  EXPECT_EQ(report->tasks, 1);
  EXPECT_EQ(report->unassigned, 0);
  const auto metadata = store::Metadata::open(*home_).value();
  const Task task = metadata.tasks().value().front();
  EXPECT_EQ(task.answer_set, (std::vector<std::string>{"green", "red"}));
  EXPECT_EQ(metadata.assignments().value().size(), 60U);
  const auto shown = task_examples(*home_, task, 3);
  ASSERT_TRUE(shown.has_value()) << shown.error().to_text();
  ASSERT_EQ(shown->size(), 3U);
  EXPECT_FALSE(shown->front().slots.empty());
  EXPECT_EQ(shown->front().answer.reveal(), "red");
}

TEST_F(ClusterHome, MoreCallsKeepTheTasksId) {
  write(60);
  ASSERT_TRUE(cluster(*home_, {}));
  const TaskId before = store::Metadata::open(*home_).value().tasks().value().front().id;
  write(66);
  ASSERT_TRUE(cluster(*home_, {}));
  EXPECT_EQ(store::Metadata::open(*home_).value().tasks().value().front().id, before);
}

TEST_F(ClusterHome, NewCallsJoinTheirTaskWithoutAnotherClustering) {
  write(60);
  ASSERT_TRUE(cluster(*home_, {}));
  const Task before = store::Metadata::open(*home_).value().tasks().value().front();
  write(70);
  const auto report = assign_new_calls(*home_);
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_EQ(report->calls, 70);
  EXPECT_EQ(report->unassigned, 0);
  const auto metadata = store::Metadata::open(*home_).value();
  EXPECT_EQ(metadata.tasks().value().front().statistics.calls, before.statistics.calls);
  for (const Assignment& assignment : metadata.assignments().value())
    EXPECT_EQ(assignment.task, before.id);
}

TEST_F(ClusterHome, TasksKeepTheirSlotsPlacesAndTemplateId) {
  write(60);
  ASSERT_TRUE(cluster(*home_, {}));
  const Task stored = store::Metadata::open(*home_).value().tasks().value().front();
  EXPECT_EQ(stored.slots.size(), stored.prompt_template.slot_count());
  EXPECT_TRUE(stored.template_id.starts_with("p-"));
  EXPECT_EQ(stored.map.calls.size(), 48U);
  EXPECT_FALSE(stored.lines.empty());
}

TEST_F(ClusterHome, WithoutADataSetSaysWhatToDo) {
  const auto report = cluster(*home_, {});
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::not_found);
  EXPECT_NE(report.error().hint.find("curate"), std::string::npos);
}

}  // namespace
}  // namespace understudy::s3
