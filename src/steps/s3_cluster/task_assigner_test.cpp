#include "steps/s3_cluster/task_assigner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <format>
#include <string>

#include "adapters/text/hashing.hpp"
#include "steps/s3_cluster/line_mask.hpp"

namespace understudy::s3 {
namespace {

Task task_of(std::vector<std::string> constants, bool separable = true) {
  Task task;
  task.prompt_template = PromptTemplate::create(std::move(constants)).value();
  task.separable = separable;
  task.statistics.calls = 10;
  return task;
}

TEST(TaskAssigner, TheMostSpecificTemplateDecides) {
  const TaskAssigner assigner({task_of({"Translate: ", "\n"}), task_of({"Translate: ", " END\n"})});
  EXPECT_EQ(assigner.assign("Translate: hello\n", {}).task, 0);
  EXPECT_EQ(assigner.assign("Translate: hello END\n", {}).task, 1);
  EXPECT_DOUBLE_EQ(assigner.assign("Translate: hello END\n", {}).confidence, 1);
  EXPECT_EQ(assigner.assign("Summarise: hello\n", {}).task, -1);
}

TEST(TaskAssigner, OtherToolsAreAnotherPlace) {
  const TaskAssigner assigner({task_of({"Translate: ", "\n"})});
  EXPECT_EQ(
      assigner.assign("Translate: hello\n", {.skeleton = {}, .tools = "x", .response_form = {}})
          .task,
      -1);
}

TEST(TaskAssigner, WordsTellTasksOfOneTemplateApart) {
  std::vector<Task> tasks{task_of({"<|user|>\n", "\n"}, false),
                          task_of({"<|user|>\n", "\n"}, false)};
  std::vector<std::string> texts[2];
  for (int i = 0; i < 40; ++i) {
    texts[0].push_back(std::format("<|user|>\nbook the flight number {}\n", i));
    texts[1].push_back(std::format("<|user|>\nplay a song from {}\n", i));
  }
  make_profiles(tasks, {{texts[0].begin(), texts[0].end()}, {texts[1].begin(), texts[1].end()}});
  const TaskAssigner assigner(tasks);
  const Placement flight = assigner.assign("<|user|>\nis there a flight to book?\n", {});
  EXPECT_EQ(flight.task, 0);
  EXPECT_LT(flight.confidence, 1);
  EXPECT_GT(flight.confidence, 0.5);
  EXPECT_EQ(assigner.assign("<|user|>\nanother song\n", {}).task, 1);
}

TEST(TaskAssigner, ANewVersionOfAPromptGoesToItsTask) {
  const std::vector<std::string> lines = {"You review code for a team.", "Be strict about naming.",
                                          "Say what you would change.", "Answer in English only."};
  Task task = task_of({"never this ", "\n"});
  for (const std::string& line : lines)
    task.lines.push_back(static_cast<std::uint32_t>(text::hash64(mask_line(line)) >> 32U));
  std::ranges::sort(task.lines);
  const TaskAssigner assigner({task});
  std::string version = "<|system|>\n";
  for (const std::string& line : lines) version += line + "\n";
  version += "Since version 2: think first.\n";
  const Placement placed = assigner.assign(version, {});
  EXPECT_EQ(placed.task, 0);
  EXPECT_LT(placed.confidence, 1);
  EXPECT_EQ(assigner.assign("<|system|>\nYou review code for a team.\n", {}).task, -1);
}

}  // namespace
}  // namespace understudy::s3
