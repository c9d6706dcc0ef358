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

TEST(Select, NamesWhatHasToBeBeatenAndHowManyCallsAreMissing) {
  SelectionInputs inputs = inputs_for(label_task());
  inputs.distinct_calls = 200;
  inputs.task.statistics.prompt_tokens = 500'000;
  inputs.task.statistics.completion_tokens = 5'000;
  inputs.prices = *economics::PriceTable::parse(
      "[cheaper]\nmodel = \"small\"\n[[price]]\nmodel = \"small\"\ninput_usd_per_million = 0.1\n"
      "output_usd_per_million = 0.4\nas_of = \"2026-01-01\"\nsource = \"made up\"\n",
      "prices");
  const Selection selection = rank_candidates(inputs);
  ASSERT_EQ(selection.baselines.size(), 2);
  EXPECT_DOUBLE_EQ(selection.baselines[0].share_of_calls, 0.6);  // 300 of 500 repeat
  EXPECT_EQ(selection.baselines[1].name, "small");
  EXPECT_NEAR(selection.baselines[1].usd_per_call, 1000 * 0.1e-6 + 10 * 0.4e-6, 1e-12);
  EXPECT_EQ(selection.calls_missing, 50);  // 45 calibration calls are 250 calls
  inputs.distinct_calls = 300;
  EXPECT_EQ(rank_candidates(inputs).calls_missing, 0);
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

InstalledModel installed(std::string name) {
  return {.name = name,
          .file = {.path = "/home/models/" + name + ".gguf",
                   .stored_as = "q4_K",
                   .parameters = 600'000'000,
                   .weight_bytes = 400'000'000,
                   .context_tokens = 32'768,
                   .layers = 28,
                   .kv_bytes_per_token = 114'688,
                   .vocabulary = 151'936},
          .speed = std::nullopt};
}

TEST(Select, WeightsAreFoundByTheirName) {
  SelectionInputs inputs = inputs_for(label_task());
  inputs.installed = {installed("qwen3_0.6b-q4_k_m"), installed("Qwen3-4B-Instruct-2507-Q4_K_M")};
  const Selection selection = rank_candidates(inputs);
  EXPECT_TRUE(says(named(selection, "Qwen3-0.6B"), "--base /home/models/qwen3_0.6b-q4_k_m.gguf"));
  EXPECT_TRUE(named(selection, "Qwen3-0.6B").eligible);
  EXPECT_TRUE(says(named(selection, "Qwen3-4B"), "needs the weights"));
  EXPECT_TRUE(says(named(selection, "Qwen3-4B-Instruct-2507"), "found its weights"));
}

TEST(Select, AModelThatNoCatalogueKnowsIsACandidateByWhatItsFileSays) {
  SelectionInputs inputs = inputs_for(label_task());
  inputs.installed = {installed("our-own-model")};
  EXPECT_TRUE(says(named(rank_candidates(inputs), "our-own-model"), "licence is not known"));
  inputs.installed[0].file.licence = "mit";
  EXPECT_TRUE(named(rank_candidates(inputs), "our-own-model").eligible);
  inputs.installed[0].file.context_tokens = 16;
  EXPECT_TRUE(says(named(rank_candidates(inputs), "our-own-model"), "its context has 16 tokens"));
}

TEST(Select, TheFileSaysHowMuchMemoryAndTimeACallTakes) {
  SelectionInputs inputs = inputs_for(label_task());
  inputs.installed = {installed("Qwen3-0.6B")};
  inputs.speed = {.memory_bytes_per_s = 20e9, .multiply_flops = 200e9};
  const Candidate estimated = named(rank_candidates(inputs), "Qwen3-0.6B");
  EXPECT_GT(estimated.memory_bytes, 400'000'000);
  // 67 tokens read at 167/s, 4 written at no more than 20 GB/s over 408 MB.
  EXPECT_NEAR(estimated.call_ms_p99, 1e3 * (67 / 166.7 + 4 / 49.0), 5);
  EXPECT_FALSE(estimated.speed_measured);
  inputs.installed[0].speed = lm::ModelSpeed{.prompt_tokens_per_s = 100, .answer_tokens_per_s = 10};
  const Candidate measured = named(rank_candidates(inputs), "Qwen3-0.6B");
  EXPECT_NEAR(measured.call_ms_p99, 1e3 * (67 / 100.0 + 4 / 10.0), 5);
  EXPECT_TRUE(measured.speed_measured);
}

TEST(Select, FiguresOfDifferentBenchmarkVersionsAreNotRankedAgainstEachOther) {
  Task task = label_task();
  task.answer_form = AnswerForm::tool_call;
  SelectionInputs inputs = inputs_for(task);
  inputs.catalogue = *parse_catalogue(
      "[[model]]\nname = \"older\"\nparameters_billion = 1\nlicence = \"mit\"\n"
      "tool_use_bfcl_v3 = 80\n"
      "[[model]]\nname = \"newer\"\nparameters_billion = 1\nlicence = \"mit\"\n"
      "tool_use_bfcl_v4 = 40\n",
      "own.toml");
  inputs.installed = {installed("older"), installed("newer")};
  const Selection selection = rank_candidates(inputs);
  EXPECT_GT(named(selection, "newer").score, named(selection, "older").score);
  EXPECT_TRUE(named(selection, "older").eligible);
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
    ASSERT_TRUE(profile_machine(*home, Measure::if_unknown));  // once for all selections
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

}  // namespace
}  // namespace understudy::s4
