// Clusters recorded calls of real agents and compares the tasks with the call sites that the
// recordings name (labels are for scoring only). Skips where the recordings are absent; set
// UNDERSTUDY_ALL_CALLS=1 or UNDERSTUDY_CALLS=FILE to run more files, UNDERSTUDY_TASKS=1 to see the
// tasks.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <iostream>
#include <map>
#include <numeric>

#include "adapters/text/hashing.hpp"
#include "steps/s3_cluster/agreement.hpp"
#include "steps/s3_cluster/call_view.hpp"
#include "steps/s3_cluster/cluster.hpp"
#include "steps/s3_cluster/recorded_calls.hpp"
#include "steps/s3_cluster/routability.hpp"

namespace understudy::s3 {
namespace {

namespace fs = std::filesystem;

// Beside the checkout, wherever the test runs below it.
fs::path recorded_calls() {
  for (fs::path at = fs::current_path(); at != at.root_path(); at = at.parent_path()) {
    if (fs::exists(at / "shared/data/calls")) return at / "shared/data/calls";
  }
  return {};
}

Recording read(const fs::path& file) { return read_recording(file).value(); }

struct Outcome {
  Agreement assigned;  // over the calls that have a task
  Agreement all;       // the unassigned tail as one group
  double coverage = 0;
};

Outcome score(const Recording& recording, const Clustering& made) {
  std::map<std::string, std::uint32_t> labels;
  std::map<TaskId, std::uint32_t> groups;
  std::vector<std::uint32_t> all[2];
  std::vector<std::uint32_t> assigned[2];
  for (std::size_t i = 0; i < made.assignments.size(); ++i) {
    const auto group = groups.try_emplace(made.assignments[i].task, groups.size()).first->second;
    const auto label = labels.try_emplace(recording.labels[i], labels.size()).first->second;
    all[0].push_back(group);
    all[1].push_back(label);
    if (made.assignments[i].task.empty()) continue;
    assigned[0].push_back(group);
    assigned[1].push_back(label);
  }
  return {.assigned = agreement(assigned[0], assigned[1]),
          .all = agreement(all[0], all[1]),
          .coverage = static_cast<double>(assigned[0].size()) /
                      static_cast<double>(std::max<std::size_t>(1, all[0].size()))};
}

void print_tasks(const Recording& recording, const Clustering& made) {
  std::map<TaskId, std::map<std::string, int>> labels;
  for (std::size_t i = 0; i < made.assignments.size(); ++i)
    ++labels[made.assignments[i].task][recording.labels[i]];
  for (const Task& task : made.tasks) {
    std::cout << std::format(
        "  {} {:5} calls {:3} slots {:6} B {} {:.2f} {}\n", task.id.value, task.statistics.calls,
        task.prompt_template.slot_count(), task.prompt_template.constant_bytes(),
        task.separable ? "sep  " : "mixed", task.replaceability.estimate, task.name);
    for (const auto& [label, count] : labels[task.id])
      std::cout << std::format("        {:4} {}\n", count, label.substr(0, 70));
    if (std::getenv("UNDERSTUDY_TEMPLATES") != nullptr)
      std::cout << "-----\n" << task.prompt_template.to_text() << "\n-----\n";
  }
  std::cout << "  unassigned:\n";
  for (const auto& [label, count] : labels[TaskId{}])
    std::cout << std::format("        {:4} {}\n", count, label.substr(0, 70));
}

Outcome run(const std::string& name, const Recording& recording) {
  const auto begin = std::chrono::steady_clock::now();
  const Clustering made = cluster_examples(recording.examples, {}).value();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const Outcome outcome = score(recording, made);
  std::map<TaskId, const Task*> tasks;
  for (const Task& task : made.tasks) tasks[task.id] = &task;
  for (std::size_t i = 0; i < made.assignments.size(); ++i) {
    if (made.assignments[i].task.empty()) continue;
    const CallView view = view_of(recording.examples[i]).value();
    const PromptTemplate& shape = tasks.at(made.assignments[i].task)->prompt_template;
    const auto slots = shape.match(view.prompt);
    EXPECT_TRUE(slots.has_value() && shape.render(*slots) == view.prompt)
        << recording.examples[i].call.value;
  }
  std::cout << std::format(
      "{}: {} calls, {} tasks, {} labels, covered {:.3f}; assigned NMI {:.3f} ARI {:.3f} purity "
      "{:.3f}; all NMI {:.3f} ARI {:.3f}; {:.1f} s\n",
      name, recording.examples.size(), made.tasks.size(), outcome.all.labels, outcome.coverage,
      outcome.assigned.nmi, outcome.assigned.ari, outcome.assigned.purity, outcome.all.nmi,
      outcome.all.ari, seconds.count());
  if (std::getenv("UNDERSTUDY_TASKS") != nullptr) print_tasks(recording, made);
  return outcome;
}

Outcome run(const std::string& name) {
  return run(name, read(recorded_calls() / (name + ".jsonl.gz")));
}

struct HeldOut {
  double routed = 0;   // share of unseen calls that reach a separable task
  double correct = 0;  // of these, share whose label is the commonest one of that task
};

// Clusters three quarters of the sessions and routes the calls of the others by their prompt.
HeldOut route_unseen(const Recording& recording) {
  Recording seen;
  Recording unseen;
  for (std::size_t i = 0; i < recording.examples.size(); ++i) {
    const bool held_out = text::hash64(recording.examples[i].session.value) % 4 == 0;
    Recording& side = held_out ? unseen : seen;
    side.examples.push_back(recording.examples[i]);
    side.labels.push_back(recording.labels[i]);
  }
  const Clustering made = cluster_examples(seen.examples, {}).value();
  std::map<TaskId, std::map<std::string, int>> labels;
  for (std::size_t i = 0; i < seen.examples.size(); ++i)
    ++labels[made.assignments[i].task][seen.labels[i]];
  double routed = 0;
  double correct = 0;
  for (std::size_t i = 0; i < unseen.examples.size(); ++i) {
    const CallView view = view_of(unseen.examples[i]).value();
    const auto reached = route(
        view.prompt, {.skeleton = {}, .tools = view.tools, .response_form = view.response_form},
        made.tasks);
    if (reached < 0 || !made.tasks[static_cast<std::size_t>(reached)].separable) continue;
    const auto& known = labels[made.tasks[static_cast<std::size_t>(reached)].id];
    const auto commonest =
        std::ranges::max_element(known, {}, [](const auto& entry) { return entry.second; });
    routed += 1;
    correct += commonest->first == unseen.labels[i] ? 1 : 0;
  }
  return {.routed = routed / static_cast<double>(unseen.examples.size()),
          .correct = correct / std::max(1.0, routed)};
}

class RecordedCalls : public testing::Test {
 protected:
  void SetUp() override {
    if (recorded_calls().empty())
      GTEST_SKIP() << "there is no shared/data/calls beside this checkout";
  }
};

TEST_F(RecordedCalls, MetaGptRunsFallIntoTheirActions) {
  const Outcome outcome = run("metagpt_runs");
  EXPECT_GE(outcome.all.nmi, 0.85);
  EXPECT_GE(outcome.coverage, 0.9);
}

TEST_F(RecordedCalls, ChatDevFallsIntoItsPhases) {
  const Outcome outcome = run("chatdev");
  EXPECT_GE(outcome.all.nmi, 0.85);
  EXPECT_GE(outcome.coverage, 0.9);
}

TEST_F(RecordedCalls, UnseenCallsReachTheirTaskByThePromptAlone) {
  for (const char* name : {"metagpt_runs", "chatdev"}) {
    const HeldOut found = route_unseen(read(recorded_calls() / (std::string(name) + ".jsonl.gz")));
    std::cout << std::format("{}: {:.3f} of unseen calls routed, {:.3f} of them correctly\n", name,
                             found.routed, found.correct);
    EXPECT_GE(found.routed, 0.8);
    EXPECT_GE(found.correct, 0.8);
    EXPECT_GE(found.routed * found.correct, 0.75);  // of all unseen calls; measured 0.79 and 1.0
  }
}

TEST_F(RecordedCalls, AnyFileClusters) {
  const char* file = std::getenv("UNDERSTUDY_CALLS");
  if (file == nullptr) GTEST_SKIP() << "UNDERSTUDY_CALLS names no file";
  EXPECT_GT(run(file, read(file)).coverage, 0.5);
}

// All files in one log, as they would come through one gateway.
TEST_F(RecordedCalls, AllFilesTogetherCluster) {
  if (std::getenv("UNDERSTUDY_ALL_CALLS") == nullptr) GTEST_SKIP() << "UNDERSTUDY_ALL_CALLS unset";
  Recording together;
  for (const char* name : {"metagpt_runs", "metagpt_cache", "tau_airline_gpt4o", "chatdev",
                           "crewai", "pydantic_ai", "swe_agent_log"}) {
    Recording recording = read(recorded_calls() / (std::string(name) + ".jsonl.gz"));
    for (std::string& label : recording.labels) label = std::string(name) + ": " + label;
    EXPECT_GT(run(name, recording).coverage, 0.5);
    together.labels.append_range(recording.labels);
    for (Example& example : recording.examples) together.examples.push_back(std::move(example));
  }
  EXPECT_GT(run("all files", together).coverage, 0.8);
}

}  // namespace
}  // namespace understudy::s3
