#include "steps/s4_select/select.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <format>
#include <system_error>

#include "adapters/store/metadata.hpp"

namespace understudy::s4 {

namespace {

constexpr std::int64_t mebi = 1024 * 1024;
// English text has about 4 bytes a token; ids and code come nearer to 3, which is the careful
// figure.
constexpr std::int64_t bytes_per_token = 3;
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
constexpr double tool_use_percent_min = 20;
// Weights in 4 bits with their scales, and a KV cache as models of this size have with grouped
// queries.
constexpr double bytes_per_parameter = 0.61;
constexpr std::int64_t kv_bytes_per_token = 150'000;

std::int64_t tokens_needed(const Task& task) {
  const TaskStatistics& statistics = task.statistics;
  return (statistics.slot_bytes_p99 + statistics.answer_bytes_p99) / bytes_per_token + 1;
}

// Collects what speaks against a candidate; without any it is eligible.
class Verdicts {
 public:
  void forbid(bool condition, std::string reason) {
    if (condition) against_.push_back(std::move(reason));
  }
  void remark(std::string reason) { remarks_.push_back(std::move(reason)); }

  // Those that are out rank by what they promise and by how little stands in their way.
  void write_to(Candidate& candidate) const {
    candidate.eligible = against_.empty();
    candidate.score /= static_cast<double>(1 + against_.size());
    candidate.reasons = against_;
    candidate.reasons.insert(candidate.reasons.end(), remarks_.begin(), remarks_.end());
  }

 private:
  std::vector<std::string> against_;
  std::vector<std::string> remarks_;
};

void forbid_unroutable(Verdicts& verdicts, const Task& task) {
  verdicts.forbid(!task.separable,
                  "another task has the same prompts: its calls cannot be told apart");
  verdicts.forbid(task.prompt_template.slot_count() == 0,
                  "its prompts share no template, or have nothing that varies");
  verdicts.forbid(task.statistics.calls < calls_for_training_min,
                  std::format("{} calls are too few to learn from (at least {})",
                              task.statistics.calls, calls_for_training_min));
}

void forbid_memory(Verdicts& verdicts, const Candidate& candidate, const Machine& machine) {
  verdicts.forbid(candidate.memory_bytes > machine.memory_available_bytes,
                  std::format("needs {} MiB of memory, {} are free", candidate.memory_bytes / mebi,
                              machine.memory_available_bytes / mebi));
}

Candidate classifier_for(const SelectionInputs& inputs) {
  const Task& task = inputs.task;
  const auto labels = static_cast<std::int64_t>(task.answer_set.size());
  Candidate candidate{
      .kind = CandidateKind::classifier, .name = "classifier", .reasons = {}, .score = 0.95};
  candidate.memory_bytes = std::min(classifier_memory_bytes_max, labels * classifier_features * 4);
  Verdicts verdicts;
  const bool closed = task.answer_form == AnswerForm::label && labels >= 2;
  verdicts.forbid(!closed, "its answers are no closed set of labels");
  forbid_unroutable(verdicts, task);
  verdicts.forbid(closed && task.statistics.calls < labels * calls_per_label_min,
                  std::format("{} calls for {} labels are too few (at least {} a label)",
                              task.statistics.calls, labels, calls_per_label_min));
  forbid_memory(verdicts, candidate, inputs.machine);
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
  forbid_unroutable(verdicts, task);
  forbid_memory(verdicts, candidate, inputs.machine);
  verdicts.remark(std::format("reads {} and writes {} bytes (99th percentile)",
                              statistics.slot_bytes_p99, statistics.answer_bytes_p99));
  verdicts.remark("needs no download; trains from scratch in minutes, about 1 million parameters");
  verdicts.write_to(candidate);
  return candidate;
}

// Letters and digits only, lower case: "Qwen3-0.6B" and "qwen3_0.6b-q4_k_m.gguf" begin alike.
std::string letters_and_digits(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

const std::string* find_weights(const SelectionInputs& inputs, const CatalogueModel& model) {
  const std::string name = letters_and_digits(model.name);
  const auto found = std::ranges::find_if(inputs.weights, [&](const std::string& file) {
    return letters_and_digits(file).starts_with(name);
  });
  return found == inputs.weights.end() ? nullptr : &*found;
}

// 0..0.8: what the benchmarks promise for this kind of answer, less a little for the model's size.
double promise(const Task& task, const CatalogueModel& model) {
  const bool tools = task.answer_form == AnswerForm::tool_call;
  const double quality =
      tools ? model.tool_use.value_or(0) : model.instruction_following.value_or(0);
  return std::max(0.0, 0.8 * quality / 100 - 0.02 * std::log2(1 + model.parameters_billion));
}

Candidate adapter_for(const SelectionInputs& inputs, const CatalogueModel& model) {
  const Task& task = inputs.task;
  const std::int64_t tokens = tokens_needed(task);
  Candidate candidate{.kind = CandidateKind::adapter, .name = model.name, .reasons = {}};
  candidate.score = promise(task, model);
  candidate.memory_bytes = std::llround(model.parameters_billion * 1e9 * bytes_per_parameter) +
                           tokens * kv_bytes_per_token;
  Verdicts verdicts;
  const std::string* weights = find_weights(inputs, model);
  verdicts.forbid(model.licence.empty(), "its licence is not known");
  verdicts.forbid(!model.licence.empty() && !std::ranges::contains(inputs.licences, model.licence),
                  "licence " + model.licence + " is not on the list of allowed ones");
  verdicts.forbid(model.context_tokens.value_or(tokens) < tokens,
                  std::format("its context has {} tokens, the task needs about {}",
                              model.context_tokens.value_or(0), tokens));
  if (task.answer_form == AnswerForm::tool_call) {
    verdicts.forbid(!model.tool_use, "no figure for its use of tools");
    verdicts.forbid(model.tool_use.value_or(100) < tool_use_percent_min,
                    std::format("weak at tools: {:.0f} % on {}", model.tool_use.value_or(0),
                                model.tool_use_version));
  }
  forbid_memory(verdicts, candidate, inputs.machine);
  forbid_unroutable(verdicts, task);
  verdicts.forbid(weights == nullptr,
                  "needs the weights: put a GGUF into " + inputs.weights_directory);
  if (weights != nullptr) {
    verdicts.remark("found its weights: `understudy tune " + task.id.value + " --base " +
                    inputs.weights_directory + "/" + *weights + "`");
  }
  verdicts.remark(std::format("{:.2g} billion parameters, about {} MiB in 4 bits",
                              model.parameters_billion, candidate.memory_bytes / mebi));
  if (model.tool_use)
    verdicts.remark(std::format("tools: {:.0f} % on {}", *model.tool_use, model.tool_use_version));
  if (!model.context_tokens) verdicts.remark("its context length is not known");
  verdicts.write_to(candidate);
  return candidate;
}

// File names below home/models; none where there is no such directory.
std::vector<std::string> weight_files(const std::filesystem::path& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".gguf") files.push_back(it->path().filename().string());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

Selection rank_candidates(const SelectionInputs& inputs) {
  Selection selection{.task = inputs.task.id, .machine = inputs.machine, .candidates = {}};
  selection.candidates.push_back(classifier_for(inputs));
  selection.candidates.push_back(nano_for(inputs));
  for (const CatalogueModel& model : inputs.catalogue)
    selection.candidates.push_back(adapter_for(inputs, model));
  std::ranges::stable_sort(selection.candidates, [](const Candidate& a, const Candidate& b) {
    if (a.eligible != b.eligible) return a.eligible;
    return a.score > b.score;
  });
  return selection;
}

Result<Selection> select(const store::Home& home, const TaskId& task,
                         const SelectOptions& options) {
  const auto metadata = TRY(store::Metadata::open(home));
  const std::filesystem::path models = home.directory() / "models";
  SelectionInputs inputs;
  inputs.task = TRY(metadata.find_task(task.value));
  inputs.machine = options.machine ? *options.machine : TRY(probe_machine());
  inputs.catalogue = TRY(load_catalogue(home.directory() / "slm_catalogue.toml"));
  inputs.weights = weight_files(models);
  inputs.weights_directory = models.string();
  inputs.licences = options.licences;
  return rank_candidates(inputs);
}

json::value to_json(const Selection& selection) {
  json::array candidates;
  for (const Candidate& candidate : selection.candidates) candidates.push_back(to_json(candidate));
  return json::object{
      {"task", selection.task.value},
      {"machine", json::object{{"memory_bytes", selection.machine.memory_bytes},
                               {"memory_available_bytes", selection.machine.memory_available_bytes},
                               {"cores", selection.machine.cores}}},
      {"candidates", std::move(candidates)}};
}

}  // namespace understudy::s4
