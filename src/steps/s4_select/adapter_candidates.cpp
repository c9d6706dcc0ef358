#include <algorithm>
#include <cctype>
#include <cmath>
#include <format>

#include "steps/s4_select/footprint.hpp"
#include "steps/s4_select/verdicts.hpp"

namespace understudy::s4 {

namespace {

constexpr std::int64_t mebi = 1024 * 1024;
constexpr double tool_use_percent_min = 20;
// Weights in 4 bits with their scales, and a cache as models of this size have with grouped
// queries: where there is no file to read it from.
constexpr double bytes_per_parameter = 0.61;
constexpr std::int64_t kv_bytes_per_token = 150'000;
constexpr std::int64_t calls_at_once = 1;
// Nobody has published a figure that compares with the others': ranks behind those that have one.
constexpr double promise_unknown = 0.02;
constexpr std::string_view ranked_tool_benchmark = "BFCL v4";

CallSize call_size(const Task& task) {
  return {.prompt_tokens = task.statistics.slot_bytes_p99 / bytes_per_token + 1,
          .answer_tokens = task.statistics.answer_bytes_p99 / bytes_per_token + 1};
}

std::int64_t tokens_needed(const Task& task) {
  const CallSize size = call_size(task);
  return size.prompt_tokens + size.answer_tokens;
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

// The entry whose name the file's begins with; of several the longest, so that
// Qwen3-4B-Instruct-2507 is not taken for Qwen3-4B.
const CatalogueModel* entry_of(const InstalledModel& model,
                               const std::vector<CatalogueModel>& catalogue) {
  const CatalogueModel* best = nullptr;
  std::size_t best_size = 0;
  for (const std::string& title : {model.name, model.file.name}) {
    const std::string letters = letters_and_digits(title);
    for (const CatalogueModel& entry : catalogue) {
      const std::string name = letters_and_digits(entry.name);
      if (name.size() > best_size && letters.starts_with(name)) {
        best = &entry;
        best_size = name.size();
      }
    }
  }
  return best;
}

// 0..0.8: what the benchmarks promise for this kind of answer, less a little for the model's size.
// Only one version of a benchmark ranks: figures of others do not compare.
double promise(const Task& task, const CatalogueModel& model) {
  std::optional<double> percent = model.instruction_following;
  if (task.answer_form == AnswerForm::tool_call) {
    percent = model.tool_use_version == ranked_tool_benchmark ? model.tool_use : std::nullopt;
  }
  if (!percent) return promise_unknown;
  return std::max(promise_unknown,
                  0.8 * *percent / 100 - 0.02 * std::log2(1 + model.parameters_billion));
}

void weigh_licence(Verdicts& verdicts, const std::string& licence,
                   const std::vector<std::string>& allowed) {
  verdicts.forbid(licence.empty(), "its licence is not known");
  verdicts.forbid(!licence.empty() && !std::ranges::contains(allowed, licence),
                  "licence " + licence + " is not on the list of allowed ones");
}

void weigh_tools(Verdicts& verdicts, const Task& task, const CatalogueModel& model) {
  if (task.answer_form == AnswerForm::tool_call) {
    verdicts.forbid(!model.tool_use, "no figure for its use of tools");
    verdicts.forbid(model.tool_use.value_or(100) < tool_use_percent_min,
                    std::format("weak at tools: {:.0f} % on {}", model.tool_use.value_or(0),
                                model.tool_use_version));
  }
  if (model.tool_use)
    verdicts.remark(std::format("tools: {:.0f} % on {}", *model.tool_use, model.tool_use_version));
}

// What the file says goes before what the catalogue says.
void weigh_file(Verdicts& verdicts, Candidate& candidate, const SelectionInputs& inputs,
                const InstalledModel& model) {
  const std::int64_t tokens = tokens_needed(inputs.task);
  const Footprint footprint = footprint_of(model.file, tokens, calls_at_once);
  candidate.memory_bytes = footprint.total();
  verdicts.forbid(model.file.context_tokens > 0 && model.file.context_tokens < tokens,
                  std::format("its context has {} tokens, the task needs about {}",
                              model.file.context_tokens, tokens));
  verdicts.remark("found its weights: `understudy tune " + inputs.task.id.value + " --base " +
                  model.file.path.string() + "`");
  verdicts.remark(
      std::format("{:.3g} billion parameters in {}: {} MiB of weights, {} MiB of cache at {} "
                  "tokens, {} MiB in all",
                  static_cast<double>(model.file.parameters) / 1e9, model.file.stored_as,
                  footprint.weight_bytes / mebi, footprint.cache_bytes / mebi, tokens,
                  footprint.total() / mebi));
  const lm::ModelSpeed speed =
      model.speed ? *model.speed : roofline(model.file, tokens, inputs.speed);
  candidate.call_ms_p99 = milliseconds(speed, call_size(inputs.task));
  candidate.speed_measured = model.speed.has_value();
  if (candidate.call_ms_p99 > 0) {
    verdicts.remark(std::format(
        "{} {:.0f} ms for a call of its 99th percentile ({:.0f} tokens/s read, {:.0f} written; {})",
        candidate.speed_measured ? "takes" : "takes at least", candidate.call_ms_p99,
        speed.prompt_tokens_per_s, speed.answer_tokens_per_s,
        candidate.speed_measured
            ? "measured by llama-bench"
            : "roofline; `understudy models measure " + model.name + "` measures"));
  }
}

void weigh_estimate(Verdicts& verdicts, Candidate& candidate, const SelectionInputs& inputs,
                    const CatalogueModel& model) {
  const std::int64_t tokens = tokens_needed(inputs.task);
  candidate.memory_bytes = std::llround(model.parameters_billion * 1e9 * bytes_per_parameter) +
                           tokens * kv_bytes_per_token;
  verdicts.forbid(model.context_tokens.value_or(tokens) < tokens,
                  std::format("its context has {} tokens, the task needs about {}",
                              model.context_tokens.value_or(0), tokens));
  verdicts.forbid(true,
                  "needs the weights: `understudy models add FILE.gguf`, or put a GGUF into " +
                      inputs.weights_directory);
  verdicts.remark(std::format("{:.2g} billion parameters, about {} MiB in 4 bits",
                              model.parameters_billion, candidate.memory_bytes / mebi));
  if (!model.context_tokens) verdicts.remark("its context length is not known");
}

Candidate of_catalogue(const SelectionInputs& inputs, const CatalogueModel& model,
                       const InstalledModel* installed) {
  Candidate candidate{.kind = CandidateKind::adapter, .name = model.name, .reasons = {}};
  candidate.score = promise(inputs.task, model);
  Verdicts verdicts;
  weigh_licence(verdicts, model.licence, inputs.licences);
  weigh_tools(verdicts, inputs.task, model);
  if (installed != nullptr) {
    weigh_file(verdicts, candidate, inputs, *installed);
  } else {
    weigh_estimate(verdicts, candidate, inputs, model);
  }
  verdicts.forbid_memory(candidate, inputs.machine);
  verdicts.forbid_unroutable(inputs.task);
  verdicts.write_to(candidate);
  return candidate;
}

// No figures, but it is here: what it is good for, `evaluate` will tell.
Candidate of_file(const SelectionInputs& inputs, const InstalledModel& model) {
  Candidate candidate{.kind = CandidateKind::adapter, .name = model.name, .reasons = {}};
  candidate.score = promise_unknown;
  Verdicts verdicts;
  weigh_licence(verdicts, model.file.licence, inputs.licences);
  weigh_file(verdicts, candidate, inputs, model);
  verdicts.remark(
      "not in the catalogue: no benchmark speaks for it (own entries: HOME/slm_catalogue.toml)");
  verdicts.forbid_memory(candidate, inputs.machine);
  verdicts.forbid_unroutable(inputs.task);
  verdicts.write_to(candidate);
  return candidate;
}

}  // namespace

std::vector<Candidate> adapter_candidates(const SelectionInputs& inputs) {
  std::vector<Candidate> candidates;
  std::vector<const CatalogueModel*> entries;
  for (const InstalledModel& model : inputs.installed) {
    entries.push_back(entry_of(model, inputs.catalogue));
    if (entries.back() == nullptr) candidates.push_back(of_file(inputs, model));
  }
  for (const CatalogueModel& model : inputs.catalogue) {
    const auto found = std::ranges::find(entries, &model);
    const InstalledModel* installed =
        found == entries.end()
            ? nullptr
            : &inputs.installed[static_cast<std::size_t>(found - entries.begin())];
    candidates.push_back(of_catalogue(inputs, model, installed));
  }
  return candidates;
}

}  // namespace understudy::s4
