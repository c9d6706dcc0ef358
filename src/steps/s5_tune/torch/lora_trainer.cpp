#include "steps/s5_tune/torch/lora_trainer.hpp"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

#include "adapters/lm/served_facts.hpp"
#include "adapters/machine/compute_environment.hpp"
#include "base/clock.hpp"
#include "base/file_lock.hpp"
#include "base/files.hpp"
#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/devices.hpp"
#include "steps/s5_tune/torch/logits_check.hpp"
#include "steps/s5_tune/torch/lora_export.hpp"
#include "steps/s5_tune/torch/lora_run.hpp"
#include "steps/s5_tune/torch/memory_estimate.hpp"
#include "steps/s5_tune/torch/merged_export.hpp"
#include "steps/s5_tune/torch/model_card.hpp"

namespace understudy::s5 {

namespace {

bool multiplies_bf16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") > 0;
#else
  return false;
#endif
}

Computing computing_of(Compute compute, at::Device device) {
  // GPUs of before Ampere multiply bf16 slowly: they are to be told f32.
  const bool multiplies = !device.is_cpu() || multiplies_bf16();
  const bool narrow = compute == Compute::automatic ? multiplies : compute == Compute::bf16;
  return {narrow ? at::kBFloat16 : at::kFloat, device};
}

constexpr std::size_t served_context_min = 512;

// Of the order in which a checkpoint holds what is trained. 2: layers with one input share a
// product.
constexpr int parameter_order = 2;

std::string fingerprint_of(const LoraOptions& options, const LoraData& data, int threads,
                           const Computing& computing, int ranks) {
  std::string targets;
  for (const std::string& target : options.adapter.targets) targets += target + ",";
  json::array facts{parameter_order,
                    static_cast<int>(options.method),
                    options.optimiser == OptimiserState::eight_bits,
                    options.adapter.rank,
                    options.adapter.alpha,
                    options.adapter.rank_scale == RankScale::by_root,
                    options.adapter.dropout,
                    targets,
                    options.adapter.seed,
                    options.epochs,
                    options.steps_max,
                    options.batch_tokens,
                    options.accumulation,
                    options.learning_rate,
                    options.weight_decay,
                    options.warm_up_share,
                    options.patience,
                    threads,
                    computing.type == at::kBFloat16,
                    c10::DeviceTypeName(computing.device.type(), true),
                    options.teacher.file.string(),
                    options.teacher.share,
                    options.teacher.temperature,
                    options.teacher.top,
                    ranks,
                    data.fingerprint};
  std::error_code error;
  facts.emplace_back(std::filesystem::file_size(options.base, error));
  return json::to_text(facts);
}

// What an unfinished run of before has left must not be taken for this one's result.
void remove_results(const std::filesystem::path& directory) {
  std::error_code ignored;
  std::filesystem::remove(directory / adapter_file_name, ignored);
  std::filesystem::remove(directory / merged_file_name, ignored);
  std::filesystem::remove_all(directory / "peft", ignored);
  std::filesystem::remove(directory / "card.json", ignored);
  std::filesystem::remove(directory / lm::served_facts_name, ignored);
}

// One that was told to end may still be writing its checkpoint.
Result<FileLock> alone_in(const std::filesystem::path& directory) {
  constexpr double patience_s = 60;
  constexpr auto interval = std::chrono::milliseconds(50);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  for (const Stopwatch watch; watch.elapsed_s() < patience_s;
       std::this_thread::sleep_for(interval)) {
    if (auto held = TRY(FileLock::try_take(directory))) return std::move(*held);
  }
  return fail(ErrorCode::conflict, "another training is at work in " + directory.string(),
              "Wait for its end, or give another directory.");
}

// The files get their names when they have been checked.
Result<AdapterCheck> export_adapter(const LoraExport& from, const std::filesystem::path& directory,
                                    std::span<const TokenText> texts) {
  const std::filesystem::path unchecked = directory / ".adapter.gguf";
  TRY(write_gguf_adapter(from, unchecked));
  const auto check = check_gguf_adapter(from, unchecked, texts);
  std::error_code error;
  if (!check) {
    std::filesystem::remove(unchecked, error);
    return check;
  }
  std::filesystem::rename(unchecked, directory / adapter_file_name, error);
  if (error) return fail(ErrorCode::exhausted, "cannot name the adapter: " + error.message());
  return check;
}

Status export_adapters(const TunedModel& from, const LoraOptions& options, LoraReport& report,
                       const std::filesystem::path& directory, std::span<const TokenText> texts) {
  const LoraExport files{
      .base = from.base, .base_path = options.base, .plan = from.plan, .adapter = *from.adapter};
  if (options.method == Method::lora) {
    const AdapterCheck check = TRY(export_adapter(files, directory, texts));
    report.logits_difference = check.difference;
    report.adapter_effect = check.effect;
  }
  // B is divided by the factors that weights were multiplied by on their way into the GGUF file.
  if (from.plan.multiplied_in_hf) return {};
  TRY(write_peft_adapter(files, directory / "peft"));
  TRY(check_peft_adapter(files, directory / "peft"));
  report.warnings = serving_warnings(from.adapter->options());
  return {};
}

std::size_t longest(const LoraData& data, std::size_t (*length)(const TokenText&)) {
  std::size_t most = 0;
  for (const auto* part : {&data.train, &data.validation}) {
    for (const TokenText& text : *part) most = std::max(most, length(text));
  }
  return most;
}

// Inputs may be twice as long as those that were seen, where the model can.
lm::ServedFacts served_facts(const LoraOptions& options, const DecoderPlan& plan,
                             const LoraData& data, lm::PromptForm form) {
  const std::size_t whole = longest(data, [](const TokenText& text) { return text.tokens.size(); });
  const bool adapter = options.method == Method::lora;
  return {.model = adapter ? std::filesystem::absolute(options.base).lexically_normal()
                           : std::filesystem::path(merged_file_name),
          .mark = {},
          .adapter = adapter ? adapter_file_name : "",
          .form = form,
          .context = std::min(static_cast<std::size_t>(plan.context),
                              std::max(served_context_min, 2 * whole)),
          .answer_tokens_max = longest(
              data, [](const TokenText& text) { return text.tokens.size() - text.prompt_tokens; })};
}

// The examples as they will be asked.
std::vector<TuningExample> as_task(std::span<const TuningExample> examples, lm::PromptForm form,
                                   const lm::Vocabulary& vocabulary) {
  std::vector<TuningExample> asked;
  for (const TuningExample& example : examples) {
    TuningExample& one = asked.emplace_back(example);
    if (form == lm::PromptForm::raw) {
      one.prompt = lm::raw_prompt(example.prompt);
      continue;
    }
    one.turns = lm::task_turns(example.prompt);
    if (lm::holds_control_tokens(vocabulary, one.turns.front().content)) asked.pop_back();
  }
  return asked;
}

Status measure(LoraReport& report, lm::ServedFacts facts, const std::filesystem::path& directory,
               const LoraOptions& options, std::span<const TokenText> texts) {
  const auto adapter = facts.adapter.empty() ? std::filesystem::path() : directory / facts.adapter;
  const auto tuned = facts.model.is_absolute() ? facts.model : directory / facts.model;
  facts.model = options.base;
  const auto before = measure_served({.facts = facts, .form = options.answer_form}, texts);
  if (!before && before.error().code == ErrorCode::not_found) return {};
  report.served_before = TRY(before);
  facts.model = tuned;
  report.served =
      TRY(measure_served({.facts = facts, .adapter = adapter, .form = options.answer_form}, texts));
  return {};
}

// Exports are made on the CPU, whatever the run computed on.
struct TunedHere {
  std::optional<Adapter> adapter = {};
  std::optional<FullWeights> full = {};
};
Result<TunedHere> brought_here(const TunedModel& tuned) {
  TunedHere here;
  if (tuned.adapter != nullptr) here.adapter = TRY(in_f32(tuned.plan, *tuned.adapter));
  if (tuned.full != nullptr) {
    here.full.emplace(tuned.base, at::kFloat);
    here.full->parameters().copy_(tuned.full->parameters());
    here.full->refresh();
  }
  return here;
}

// What a run learns from, and what it changes.
struct Lesson {
  const MemoryQuestion& of;
  const LoraData& data;
  const lm::Vocabulary& vocabulary;
  const Ranks& ranks;
  const std::filesystem::path& directory;
  Adapter* adapter = nullptr;
  FullWeights* full = nullptr;
};

// Packed matrices, activations and the optimiser are there as long as this takes: what is exported
// and measured behind it has the memory for itself.
Result<LoraReport> learn(const Lesson& lesson) {
  const LoraOptions& options = lesson.of.options;
  const Computing& computing = lesson.of.computing;
  BaseWeights weights(lesson.of.file, computing, lesson.full);
  const double packed = memory_of_packed(lesson.of);
  // Of the memory that is free by a margin: what else runs must not be paged out for a twentieth.
  if (packed > 0 && 2 * (memory_needed(lesson.of) + packed) < memory_available(computing.device)) {
    weights.pack_matrices();
  }
  DecoderLanes decoder(lesson.of.plan, weights, lesson.adapter, options.activations,
                       lesson.of.threads);
  Trained& trained = lesson.full != nullptr ? static_cast<Trained&>(*lesson.full) : *lesson.adapter;
  LoraRun run(lesson.data, decoder, trained, options, lesson.directory, lesson.ranks);
  std::optional<Teacher> teacher;
  if (!options.teacher.file.empty()) {
    const std::size_t inputs = longest(lesson.data, [](const TokenText& text) {
      return text.tokens.size() - 1;  // the last is only predicted
    });
    teacher = TRY(Teacher::open(options.teacher, lesson.vocabulary,
                                static_cast<std::int64_t>(inputs), computing));
    run.learn_from(*teacher);
  }
  const std::string fingerprint =
      fingerprint_of(options, lesson.data, lesson.of.threads, computing, lesson.ranks.size());
  if (options.resume) TRY(run.resume(fingerprint));
  TRY(run.train(fingerprint));
  return run.report();
}

Result<LoraReport> train(std::span<const TuningExample> examples,
                         const std::filesystem::path& directory, const LoraOptions& options) {
  const c10::InferenceMode no_autograd;
  const at::Device device = TRY(training_device(options.device));
  const c10::DeviceGuard there(device);
  const Ranks ranks = TRY(Ranks::from_environment(device));
  const int threads = options.threads > 0
                          ? options.threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  at::set_num_threads(threads);
  const Computing computing = computing_of(options.compute, device);
  const auto file = TRY(lm::GgufFile::open(options.base));
  const DecoderPlan plan = TRY(plan_of(file));
  std::optional<Adapter> adapter;
  std::optional<FullWeights> full;
  double parameters = 0;
  if (options.method == Method::full) {
    for (const lm::StoredTensor& tensor : file.tensors()) {
      parameters += static_cast<double>(tensor.rows * tensor.columns);
    }
  } else {
    AdapterOptions wanted = options.adapter;
    wanted.magnitudes = options.method == Method::dora;
    adapter = TRY(Adapter::create(plan, wanted, computing));
    parameters = static_cast<double>(adapter->parameters().numel());
  }
  const std::int64_t length_max =
      std::min(plan.context, options.length_max > 0 ? options.length_max : options.batch_tokens);
  const MemoryQuestion memory{.file = file,
                              .plan = plan,
                              .options = options,
                              .computing = computing,
                              .parameters = parameters,
                              .threads = threads,
                              .text_tokens_max = length_max};
  TRY(check_memory(memory_needed(memory), device));
  TRY(file.check_finite());
  const auto vocabulary = TRY(lm::Vocabulary::load(options.base));
  const lm::PromptForm form = lm::prompt_form_of(vocabulary);
  std::vector<TuningExample> asked;
  if (options.task_prompts) examples = asked = as_task(examples, form, vocabulary);
  const LoraData data = TRY(prepare_lora_data(
      examples, vocabulary,
      {.length_max = static_cast<std::size_t>(length_max), .seed = options.adapter.seed}));
  std::optional<FileLock> alone;
  if (ranks.leads()) {
    alone.emplace(TRY(alone_in(directory)));
    remove_results(directory);
  }
  if (options.method == Method::full) full.emplace(file, computing);
  LoraReport report = TRY(learn({.of = memory,
                                 .data = data,
                                 .vocabulary = vocabulary,
                                 .ranks = ranks,
                                 .directory = directory,
                                 .adapter = adapter ? &*adapter : nullptr,
                                 .full = full ? &*full : nullptr}));
  machine::give_back_free_memory();
  if (!ranks.leads()) return report;  // the others wrote nothing
  TunedModel tuned{.base = file,
                   .plan = plan,
                   .adapter = adapter ? &*adapter : nullptr,
                   .full = full ? &*full : nullptr};
  TunedHere here;
  if (computing.composed()) {
    here = TRY(brought_here(tuned));
    tuned.adapter = here.adapter ? &*here.adapter : nullptr;
    tuned.full = here.full ? &*here.full : nullptr;
  }
  if (tuned.adapter != nullptr) {
    TRY(export_adapters(tuned, options, report, directory, data.validation));
  }
  // llama-server can add no other to its base. An adapter counts without a merged model: where that
  // one fails, it is said when all else is done.
  const bool adds = options.method == Method::lora;
  Status merged;
  if (!adds || !options.merged.empty()) {
    const auto made = export_merged(tuned, directory, data.validation,
                                    options.merged.empty() ? "F16" : options.merged);
    if (made) {
      report.merged_difference = *made;
    } else {
      merged = fail(made.error());
      report.warnings.push_back("There is no merged model: " + made.error().message + ".");
    }
  }
  if (!merged && !adds) return fail(merged.error());
  lm::ServedFacts facts = served_facts(options, plan, data, form);
  TRY(measure(report, facts, directory, options, data.validation));
  const std::string base_hash = TRY(lm::mark_of_file(options.base));
  if (options.task_prompts) {
    if (adds) facts.mark = base_hash;  // it serves with the base
    TRY(lm::write_served_facts(directory, facts));
  }
  const json::object card = model_card({.report = report,
                                        .model = tuned,
                                        .options = options,
                                        .computing = computing,
                                        .data = data,
                                        .base_hash = base_hash});
  TRY(write_file_atomically(directory / "card.json", json::to_text(card) + "\n"));
  if (card.at("peft").as_bool()) {
    TRY(write_file_atomically(directory / "peft/README.md", card_text(card)));
  }
  if (!merged) return fail(merged.error());
  return report;
}

json::value to_json(const std::optional<ServedQuality>& quality) {
  if (!quality) return nullptr;
  return json::object{{"answers", quality->answers},
                      {"agreed", quality->agreed},
                      {"tokens", quality->tokens},
                      {"perplexity", quality->perplexity}};
}

}  // namespace

json::value to_json(const LoraReport& report) {
  return json::object{
      {"examples", report.examples},
      {"left_out", report.left_out},
      {"soft_tokens", report.soft_tokens},
      {"parameters", report.parameters},
      {"steps", report.steps},
      {"tokens", report.tokens},
      {"seconds", report.seconds},
      {"tokens_per_s", report.tokens_per_s},
      {"validation_loss_before", report.validation_loss_before},
      {"validation_loss", report.validation_loss},
      {"validation_exact", report.validation_exact},
      {"logits_difference", report.logits_difference},
      {"adapter_effect", report.adapter_effect},
      {"merged_difference",
       report.merged_difference ? json::value(*report.merged_difference) : json::value(nullptr)},
      {"served_before", to_json(report.served_before)},
      {"served", to_json(report.served)},
      {"warnings", json::array(report.warnings.begin(), report.warnings.end())}};
}

Result<LoraReport> train_lora(std::span<const TuningExample> examples,
                              const std::filesystem::path& directory, const LoraOptions& options) {
  try {
    return train(examples, directory, options);
  } catch (const std::exception& error) {
    return fail(ErrorCode::internal, std::string("libtorch: ") + error.what());
  }
}

}  // namespace understudy::s5
