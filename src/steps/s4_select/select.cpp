#include "steps/s4_select/select.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "adapters/store/metadata.hpp"
#include "quality/certificate.hpp"
#include "records/task_splits.hpp"
#include "steps/s4_select/verdicts.hpp"

namespace understudy::s4 {

namespace {

constexpr std::int64_t mebi = 1024 * 1024;
// Slots and answer: nano's context has at most 2,048 tokens, with room for inputs half as long
// again.
constexpr std::int64_t nano_bytes_max = 4000;
constexpr std::int64_t nano_answer_bytes_max =
    800;  // longer ones are seldom written without a slip
constexpr std::int64_t nano_memory_bytes =
    64 * mebi;  // a llama-server process with about 1 M parameters
constexpr std::int64_t classifier_memory_bytes_max =
    96 * mebi;                                        // limits::classifier_weight_bytes_max in f32
constexpr std::int64_t classifier_features = 30'000;  // that 10,000 short texts have
constexpr std::int64_t calls_for_training_min = 50;
constexpr std::int64_t calls_per_label_min = 5;

Candidate classifier_for(const SelectionInputs& inputs) {
  const Task& task = inputs.task;
  const auto labels = static_cast<std::int64_t>(task.answer_set.size());
  Candidate candidate{
      .kind = CandidateKind::classifier, .name = "classifier", .reasons = {}, .score = 0.95};
  candidate.memory_bytes =
      std::min(classifier_memory_bytes_max, labels * classifier_features * 4 * 2);
  Verdicts verdicts;
  const bool closed = task.answer_form == AnswerForm::label && labels >= 2;
  verdicts.forbid(!closed, "its answers are no closed set of labels");
  verdicts.forbid_unroutable(task);
  verdicts.forbid(closed && task.statistics.calls < labels * calls_per_label_min,
                  std::format("{} calls for {} labels are too few (at least {} a label)",
                              task.statistics.calls, labels, calls_per_label_min));
  verdicts.forbid_memory(candidate, inputs.machine);
  if (closed) verdicts.remark(std::format("closed set of {} labels", labels));
  verdicts.remark("needs no download; trains in seconds, answers in microseconds, in process");
  verdicts.write_to(candidate);
  return candidate;
}

Candidate nano_for(const SelectionInputs& inputs) {
  const Task& task = inputs.task;
  const TaskStatistics& statistics = task.statistics;
  Candidate candidate{.kind = CandidateKind::nano, .name = "nano", .reasons = {}, .score = 0.9};
  candidate.memory_bytes = nano_memory_bytes;
  Verdicts verdicts;
  verdicts.forbid(
      task.answer_form == AnswerForm::text,
      "open-ended text: a model trained from scratch on this task does not write like the LLM, and "
      "equal wording is the only agreement that can be proven");
  const std::int64_t bytes = statistics.slot_bytes_p99 + statistics.answer_bytes_p99;
  verdicts.forbid(
      bytes > nano_bytes_max,
      std::format("slots and answer have {} bytes (99th percentile), nano's context holds about {}",
                  bytes, nano_bytes_max));
  verdicts.forbid(
      statistics.answer_bytes_p99 > nano_answer_bytes_max,
      std::format("answers of {} bytes (99th percentile) are too long for it (at most {})",
                  statistics.answer_bytes_p99, nano_answer_bytes_max));
  verdicts.forbid_unroutable(task);
  verdicts.forbid_memory(candidate, inputs.machine);
  verdicts.remark(std::format("reads {} and writes {} bytes (99th percentile)",
                              statistics.slot_bytes_p99, statistics.answer_bytes_p99));
  verdicts.remark("needs no download; trains from scratch in minutes, about 1 million parameters");
  verdicts.write_to(candidate);
  return candidate;
}

Baseline cache_for(const SelectionInputs& inputs) {
  const auto calls = static_cast<double>(inputs.task.statistics.calls);
  const double repeats = calls - static_cast<double>(inputs.distinct_calls);
  Baseline cache{.name = "exact-match cache", .reason = {}};
  if (calls > 0 && inputs.distinct_calls > 0) cache.share_of_calls = repeats / calls;
  cache.reason =
      std::format("{:.1f} % of the recorded calls ask and answer what an earlier one did",
                  100 * cache.share_of_calls);
  return cache;
}

std::optional<Baseline> cheaper_for(const SelectionInputs& inputs) {
  const std::string& model = inputs.prices.cheaper_model();
  if (model.empty()) return std::nullopt;
  const TaskStatistics& statistics = inputs.task.statistics;
  const auto calls = static_cast<double>(std::max<std::int64_t>(statistics.calls, 1));
  Baseline cheaper{.name = model, .share_of_calls = 1, .reason = {}};
  const auto price = inputs.prices.find(model);
  if (price) {
    cheaper.usd_per_call =
        economics::usd(price->cost(static_cast<double>(statistics.prompt_tokens) / calls,
                                   static_cast<double>(statistics.completion_tokens) / calls));
  }
  cheaper.reason =
      (price ? std::format("${:.6f} a call at list prices, the LLM ${:.6f}", cheaper.usd_per_call,
                           statistics.cost_usd / calls)
             : "no price for it") +
      std::format("; how often it answers as the LLM, `understudy evaluate {} --cheaper URL` asks",
                  inputs.task.id.value);
  return cheaper;
}

// Calls that the task lacks before a model that never errs could be proven: those that the
// certificate needs, in the split that it is drawn from.
std::int64_t calls_missing(const SelectionInputs& inputs) {
  const auto needed = static_cast<double>(quality::calls_needed({}, 0).value_or(0));
  const auto calls = static_cast<std::int64_t>(std::ceil(needed / calibration_share));
  return std::max<std::int64_t>(0, calls - inputs.distinct_calls);
}

}  // namespace

void Verdicts::forbid_unroutable(const Task& task) {
  forbid(!task.separable, "another task has the same prompts: its calls cannot be told apart");
  forbid(task.prompt_template.slot_count() == 0,
         "its prompts share no template, or have nothing that varies");
  forbid(task.statistics.calls < calls_for_training_min,
         std::format("{} calls are too few to learn from (at least {})", task.statistics.calls,
                     calls_for_training_min));
}

void Verdicts::forbid_memory(const Candidate& candidate, const machine::Machine& machine) {
  forbid(candidate.memory_bytes > machine.memory_available_bytes,
         std::format("needs {} MiB of memory, {} are free", candidate.memory_bytes / mebi,
                     machine.memory_available_bytes / mebi));
}

Selection rank_candidates(const SelectionInputs& inputs) {
  Selection selection{.task = inputs.task.id,
                      .machine = {.machine = inputs.machine, .speed = inputs.speed},
                      .candidates = {}};
  selection.candidates.push_back(classifier_for(inputs));
  selection.candidates.push_back(nano_for(inputs));
  selection.candidates.append_range(adapter_candidates(inputs));
  std::ranges::stable_sort(selection.candidates, [](const Candidate& a, const Candidate& b) {
    if (a.eligible != b.eligible) return a.eligible;
    return a.score > b.score;
  });
  selection.baselines.push_back(cache_for(inputs));
  if (auto cheaper = cheaper_for(inputs)) selection.baselines.push_back(std::move(*cheaper));
  selection.calls_missing = calls_missing(inputs);
  return selection;
}

Result<Selection> select(const store::Home& home, const TaskId& task,
                         const SelectOptions& options) {
  const auto metadata = TRY(store::Metadata::open(home));
  const MachineProfile profile = TRY(profile_machine(home, Measure::if_unknown));
  SelectionInputs inputs;
  inputs.task = TRY(metadata.find_task(task.value));
  inputs.machine = options.machine ? *options.machine : profile.machine;
  inputs.speed = profile.speed;
  inputs.catalogue = TRY(load_catalogue(home.directory() / "slm_catalogue.toml"));
  inputs.installed = TRY(list_models(home)).models;
  inputs.weights_directory = models_directory(home).string();
  inputs.licences = options.licences;
  inputs.distinct_calls = static_cast<std::int64_t>(TRY(metadata.members_of(task)).size());
  inputs.prices = TRY(economics::PriceTable::load(home.directory() / "prices.toml"));
  return rank_candidates(inputs);
}

json::value to_json(const Selection& selection) {
  json::array candidates;
  for (const Candidate& candidate : selection.candidates) candidates.push_back(to_json(candidate));
  json::array baselines;
  for (const Baseline& baseline : selection.baselines) {
    baselines.push_back(json::object{{"name", baseline.name},
                                     {"share_of_calls", baseline.share_of_calls},
                                     {"usd_per_call", baseline.usd_per_call},
                                     {"reason", baseline.reason}});
  }
  return json::object{{"task", selection.task.value},
                      {"baselines", std::move(baselines)},
                      {"calls_missing", selection.calls_missing},
                      {"machine", to_json(selection.machine)},
                      {"candidates", std::move(candidates)}};
}

}  // namespace understudy::s4
