// Tuning a base model for a task: what `understudy tune --base` asks of understudy-train, and what
// it takes from it. The examples go through a pipe, as nano's do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "records/answer.hpp"
#include "steps/s5_tune/training_text.hpp"

namespace understudy::s5 {

// What understudy-train knows as --method; defaults are its own where a number is 0 or a name
// empty.
struct BaseOptions {
  std::filesystem::path base = {};  // a GGUF model; empty: no base
  std::string method = "lora";
  std::int64_t rank = 0;
  double alpha = 0;
  std::int64_t epochs = 0;
  std::int64_t batch_tokens = 0;
  double learning_rate = 0;
  int threads = 0;
  std::string device = {};
  std::optional<double> teacher_share = {};  // of the loss: of recorded logprobs
};
// As text: for the artifact's lineage, and to tell one tuning from another.
std::string to_text(const BaseOptions& options);
// The options that an artifact's config_json says it was made with; nothing where it has no base.
std::optional<BaseOptions> base_options_of(std::string_view config_json);

struct BaseTuning {
  std::filesystem::path program;
  std::filesystem::path directory;  // what an interrupted run left there is gone on from
  BaseOptions options = {};
  AnswerForm form = AnswerForm::text;
  double minutes_max = 0;
  std::uint64_t seed = 1;
};

// The report as JSON text. Leaves in `directory` what serves the task (served.json and what it
// names), peft/, card.json and metrics.jsonl, and the report itself until forget_report(): a run
// that ended behind the training does not train anew.
Result<std::string> tune_base(const BaseTuning& tuning, std::span<const TrainingExample> examples);
void forget_report(const std::filesystem::path& directory);
// The bytes that the artifact's id is the hash of: served.json, and the adapter or model in it.
Result<std::string> tuned_bytes(const std::filesystem::path& directory);

}  // namespace understudy::s5
