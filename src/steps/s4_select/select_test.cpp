#include "steps/s4_select/select.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "adapters/store/metadata.hpp"
#include "base/clock.hpp"

namespace understudy::s4 {
namespace {

constexpr std::int64_t gibi = 1024LL * 1024 * 1024;

Task label_task() {
  Task task;
  task.id = {"t-0123456789"};
  task.prompt_template = *PromptTemplate::create({"Classify: ", "\nAnswer:"});
  task.answer_form = AnswerForm::label;
  task.answer_set = {"bug", "praise", "question"};
  task.statistics.calls = 500;
  task.statistics.slot_bytes_p99 = 200;
  task.statistics.answer_bytes_p99 = 10;
  return task;
}

SelectionInputs inputs_for(Task task) {
  SelectionInputs inputs;
  inputs.task = std::move(task);
  inputs.machine = {.memory_bytes = 16 * gibi, .memory_available_bytes = 8 * gibi, .cores = 4};
  inputs.catalogue = *load_catalogue("/nowhere");
  inputs.weights_directory = "/home/models";
  inputs.licences = SelectOptions{}.licences;
  return inputs;
}

const Candidate& named(const Selection& selection, std::string_view name) {
  const auto found = std::ranges::find(selection.candidates, name, &Candidate::name);
  EXPECT_NE(found, selection.candidates.end()) << name;
  return *found;
}

bool says(const Candidate& candidate, std::string_view words) {
  return std::ranges::any_of(candidate.reasons, [&](const std::string& reason) {
    return reason.find(words) != std::string::npos;
  });
}

TEST(Select, AClosedAnswerSetIsForTheClassifierFirst) {
  const Selection selection = rank_candidates(inputs_for(label_task()));
  EXPECT_EQ(selection.candidates[0].name, "classifier");
  EXPECT_TRUE(selection.candidates[0].eligible);
  EXPECT_EQ(selection.candidates[1].name, "nano");
  EXPECT_TRUE(selection.candidates[1].eligible);
}

TEST(Select, StructuredAnswersAreForNano) {
  Task task = label_task();
  task.answer_form = AnswerForm::tool_call;
  task.answer_set.clear();
  const Selection selection = rank_candidates(inputs_for(task));
  EXPECT_EQ(selection.candidates[0].name, "nano");
  EXPECT_FALSE(named(selection, "classifier").eligible);
}

TEST(Select, OpenEndedTextHasNoEligibleCandidateAndSaysWhy) {
  Task task = label_task();
  task.answer_form = AnswerForm::text;
  task.answer_set.clear();
  const Selection selection = rank_candidates(inputs_for(task));
  EXPECT_TRUE(std::ranges::none_of(selection.candidates, &Candidate::eligible));
  EXPECT_TRUE(says(named(selection, "nano"), "open-ended"));
}

TEST(Select, ATaskThatCannotBeToldApartHasNoCandidate) {
  Task task = label_task();
  task.separable = false;
  const Selection selection = rank_candidates(inputs_for(task));
  EXPECT_TRUE(std::ranges::none_of(selection.candidates, &Candidate::eligible));
}

TEST(Select, LongInputsAreNotForNano) {
  Task task = label_task();
  task.statistics.slot_bytes_p99 = 20'000;
  EXPECT_TRUE(says(named(rank_candidates(inputs_for(task)), "nano"), "context"));
}

TEST(Select, LicenceMemoryAndWeightsAreReasonsAgainstACatalogueModel) {
  SelectionInputs inputs = inputs_for(label_task());
  inputs.machine.memory_available_bytes = gibi;
  const Selection selection = rank_candidates(inputs);
  EXPECT_TRUE(says(named(selection, "Qwen2.5-3B-Instruct"), "qwen-research"));
  EXPECT_TRUE(says(named(selection, "Qwen3-8B"), "MiB of memory"));
  EXPECT_TRUE(says(named(selection, "Qwen3-0.6B"), "put a GGUF into /home/models"));
  EXPECT_TRUE(says(named(selection, "Granite-3.1-2B-Instruct"), "GGUF"));
}

TEST(Select, WeightsAreFoundByTheirName) {
  SelectionInputs inputs = inputs_for(label_task());
  inputs.weights = {"qwen3_0.6b-q4_k_m.gguf"};
  const Selection selection = rank_candidates(inputs);
  EXPECT_TRUE(says(named(selection, "Qwen3-0.6B"), "--base /home/models/qwen3_0.6b-q4_k_m.gguf"));
  EXPECT_TRUE(named(selection, "Qwen3-0.6B").eligible);
}

TEST(Select, ToolTasksAskForAFigureOnTools) {
  Task task = label_task();
  task.answer_form = AnswerForm::tool_call;
  const Selection selection = rank_candidates(inputs_for(task));
  EXPECT_TRUE(says(named(selection, "OLMo-2-0425-1B-Instruct"), "no figure for its use of tools"));
}

TEST(Select, ReadsTheTaskFromMetadataInWellUnderASecond) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("select_test." + std::to_string(::getpid()));
  {
    const auto home = store::Home::open(directory);
    ASSERT_TRUE(home);
    auto metadata = store::Metadata::open(*home);
    ASSERT_TRUE(metadata && metadata->replace_tasks({"d"}, {label_task()}, {}));
    const Stopwatch watch;
    const auto selection = select(*home, label_task().id, {});
    EXPECT_LT(watch.elapsed_s(), 1);
    ASSERT_TRUE(selection) << selection.error().to_text();
    EXPECT_EQ(selection->candidates.front().name, "classifier");
    EXPECT_FALSE(select(*home, {"t-ffff"}, {}));
  }
  std::filesystem::remove_all(directory);
}

TEST(Catalogue, HasTheModelsWithTheirFiguresAndLeavesTheUnknownUnknown) {
  const auto models = load_catalogue("/nowhere");
  ASSERT_TRUE(models);
  EXPECT_EQ(models->size(), 84);
  const auto qwen = std::ranges::find(*models, "Qwen3-0.6B", &CatalogueModel::name);
  ASSERT_NE(qwen, models->end());
  EXPECT_EQ(qwen->licence, "apache-2.0");
  EXPECT_EQ(qwen->context_tokens, 32768);
  EXPECT_DOUBLE_EQ(*qwen->tool_use, 23.93);
  EXPECT_TRUE(std::ranges::any_of(*models, [](const auto& m) { return !m.tool_use; }));
}

TEST(Catalogue, OnesOwnEntriesReplaceAndExtend) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("catalogue_test." + std::to_string(::getpid()) + ".toml");
  std::ofstream(file) << "[[model]]\nname = \"Qwen3-0.6B\"\nparameters_billion = 9\n"
                      << "[[model]]\nname = \"ours\"\nparameters_billion = 1\nlicence = \"mit\"\n";
  const auto models = load_catalogue(file);
  std::filesystem::remove(file);
  ASSERT_TRUE(models);
  EXPECT_EQ(models->size(), 85);
  EXPECT_EQ(std::ranges::find(*models, "Qwen3-0.6B", &CatalogueModel::name)->parameters_billion, 9);
}

TEST(Catalogue, BadEntriesNameTheirLine) {
  const auto models = parse_catalogue("\n[[model]]\nname = \"x\"\n", "own.toml");
  ASSERT_FALSE(models);
  EXPECT_TRUE(models.error().message.starts_with("own.toml:2:")) << models.error().message;
  EXPECT_FALSE(parse_catalogue("[[model\n", "own.toml"));
  EXPECT_FALSE(parse_catalogue(std::string_view("[\0\0]\n", 5), "own.toml"));
}

TEST(Machine, ReadsMeminfo) {
  const auto machine =
      parse_meminfo("MemTotal:       16315988 kB\nMemFree: 1 kB\nMemAvailable:   8000 kB\n");
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->memory_bytes, 16315988LL * 1024);
  EXPECT_EQ(machine->memory_available_bytes, 8000 * 1024);
  EXPECT_FALSE(parse_meminfo("MemTotal: many kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: 6666666666666666666 kB\nMemAvailable: 1 kB\n"));
  EXPECT_TRUE(probe_machine());
}

}  // namespace
}  // namespace understudy::s4
