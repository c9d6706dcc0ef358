#include "steps/s5_tune/tune_base.hpp"

#include <format>
#include <system_error>

#include "base/files.hpp"
#include "base/json.hpp"
#include "steps/s5_tune/trainer_process.hpp"

namespace understudy::s5 {

namespace {

constexpr const char* checkpoint_name = "checkpoint.safetensors";
constexpr const char* report_name = "trained.json";  // of a training that is whole

template <class Value>
void add_if_given(std::vector<std::string>& words, const char* option, Value value) {
  if (value <= 0) return;
  words.emplace_back(option);
  words.push_back(std::format("{}", value));
}

std::vector<std::string> arguments_of(const BaseTuning& tuning) {
  const BaseOptions& options = tuning.options;
  std::vector<std::string> words{"--data",
                                 "-",
                                 "--out",
                                 tuning.directory.string(),
                                 "--method",
                                 options.method,
                                 "--base",
                                 options.base.string(),
                                 "--task-prompts",
                                 "--answer-form",
                                 std::string(to_string(tuning.form)),
                                 "--seed",
                                 std::to_string(tuning.seed)};
  add_if_given(words, "--max-minutes", tuning.minutes_max);
  add_if_given(words, "--rank", options.rank);
  add_if_given(words, "--alpha", options.alpha);
  add_if_given(words, "--epochs", options.epochs);
  add_if_given(words, "--batch-tokens", options.batch_tokens);
  add_if_given(words, "--learning-rate", options.learning_rate);
  add_if_given(words, "--threads", options.threads);
  if (!options.device.empty()) {
    words.emplace_back("--device");
    words.push_back(options.device);
  }
  if (options.teacher_share) {
    words.emplace_back("--teacher-share");
    words.push_back(std::format("{}", *options.teacher_share));
  }
  std::error_code error;
  if (std::filesystem::exists(tuning.directory / checkpoint_name, error)) {
    words.emplace_back("--resume");
  }
  return words;
}

}  // namespace

std::string to_text(const BaseOptions& options) {
  json::object all{{"base", options.base.string()},
                   {"method", options.method},
                   {"rank", options.rank},
                   {"alpha", options.alpha},
                   {"epochs", options.epochs},
                   {"batch_tokens", options.batch_tokens},
                   {"learning_rate", options.learning_rate},
                   {"threads", options.threads}};
  if (!options.device.empty()) all["device"] = options.device;
  if (options.teacher_share) all["teacher_share"] = *options.teacher_share;
  return json::to_text(all);
}

std::optional<BaseOptions> base_options_of(std::string_view config_json) {
  const auto config = json::parse(config_json);
  if (!config) return std::nullopt;
  // Artifacts of before had the base and the method only.
  const json::value* kept = json::find(*config, "base_options");
  const json::value& tree = kept != nullptr ? *kept : *config;
  const std::string base = json::string_or(tree, "base");
  if (base.empty()) return std::nullopt;
  BaseOptions options{.base = base};
  options.method = json::find_string(tree, "method").value_or(options.method);
  options.rank = json::find_integer(tree, "rank").value_or(0);
  options.alpha = json::find_number(tree, "alpha").value_or(0);
  options.epochs = json::find_integer(tree, "epochs").value_or(0);
  options.batch_tokens = json::find_integer(tree, "batch_tokens").value_or(0);
  options.learning_rate = json::find_number(tree, "learning_rate").value_or(0);
  options.threads = static_cast<int>(json::find_integer(tree, "threads").value_or(0));
  options.device = json::string_or(tree, "device");
  options.teacher_share = json::find_number(tree, "teacher_share");
  return options;
}

Result<std::string> tune_base(const BaseTuning& tuning, std::span<const TrainingExample> examples) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(tuning.options.base, error)) {
    return fail(ErrorCode::not_found, "there is no base model at " + tuning.options.base.string(),
                "Give --base the path of a GGUF file.");
  }
  if (auto report = read_file(tuning.directory / report_name)) return report;
  std::string report = TRY(run_trainer(tuning.program, arguments_of(tuning), examples));
  while (report.ends_with('\n')) report.pop_back();
  TRY(write_file_atomically(tuning.directory / report_name, report));
  // Only an unfinished run has use for it, and it is larger than the adapter.
  std::filesystem::remove(tuning.directory / checkpoint_name, error);
  return report;
}

void forget_report(const std::filesystem::path& directory) {
  std::error_code ignored;
  std::filesystem::remove(directory / report_name, ignored);
}

Result<std::string> tuned_bytes(const std::filesystem::path& directory) {
  std::string bytes = TRY(read_file(directory / "served.json"));
  const json::value facts = TRY(json::parse(bytes));
  const std::string adapter = json::string_or(facts, "adapter");
  return bytes +
         TRY(read_file(directory / (adapter.empty() ? json::string_or(facts, "model") : adapter)));
}

}  // namespace understudy::s5
