// Trains an adapter on a GGUF base, or all of its weights, and writes DIR/adapter.gguf
// (llama-server), DIR/peft/ (vLLM, transformers), metrics.jsonl and card.json. All exports are read
// back and compared with the training forward pass; one that differs, or that changes nothing, is
// an error. The state is kept in DIR/checkpoint.safetensors: on the CPU a run that was killed goes
// on bit for bit, as long as data, options and threads are the same and the time limit does not
// bind (CUDA's own kernels may add in another order each time). One thread calls. A directory is
// one trainer's at a time: another waits a minute for it, which is time to end a step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "records/answer.hpp"
#include "steps/s5_tune/torch/adapter.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/optimiser.hpp"
#include "steps/s5_tune/torch/served_quality.hpp"
#include "steps/s5_tune/torch/teacher.hpp"
#include "steps/s5_tune/tuning_text.hpp"

namespace understudy::s5 {

inline constexpr const char* adapter_file_name = "adapter.gguf";
inline constexpr const char* merged_file_name = "merged.gguf";

// automatic: bf16 where the processor multiplies it, and on every other device
enum class Compute { automatic, f32, bf16 };

enum class Method { lora, dora, full };

struct LoraOptions {
  std::filesystem::path base;
  Method method = Method::lora;  // with full, the adapter's options but the seed have no meaning
  OptimiserState optimiser = OptimiserState::f32;
  Activations activations = Activations::kept;
  AdapterOptions adapter = {};
  TeacherOptions teacher = {};
  double minutes_max = 600;
  std::int64_t epochs = 3;
  std::int64_t steps_max = 0;  // 0: as many as the epochs have
  std::int64_t batch_tokens = 2048;
  std::int64_t accumulation = 1;  // rows of batch_tokens a step
  std::int64_t length_max = 0;    // tokens; longer examples are left out; 0: batch_tokens
  double learning_rate = 2e-4;
  double weight_decay = 0;
  double warm_up_share = 0.03;  // of the steps
  std::int64_t patience = 5;    // looks at the validation part without a gain, before the end
  double checkpoint_s = 120;
  int threads = 0;              // 0: all
  std::string device = "auto";  // as training_device() takes it
  Compute compute = Compute::automatic;
  bool resume = false;
  // Also write DIR/merged.gguf: "F32", or as lm::quantisations() has it. DoRA, which llama-server
  // cannot add to a base, and full tuning always do: in F16 unless told.
  std::string merged = {};
  // Examples are a task's slots and answers: they are put to the model as they will be when it
  // serves the task, and DIR/served.json says how.
  bool task_prompts = false;
  AnswerForm answer_form = AnswerForm::text;  // decides what counts as the same answer
};

struct LoraReport {
  std::size_t examples = 0;
  std::size_t left_out = 0;
  std::size_t soft_tokens = 0;  // of answers, learned with what the teacher's server said of them
  std::int64_t parameters = 0;
  std::int64_t steps = 0;
  std::int64_t tokens = 0;
  double seconds = 0;
  double tokens_per_s = 0;
  double validation_loss_before = 0;  // nats a token
  double validation_loss = 0;
  double validation_exact = 0;   // share of answers with every token right
  double logits_difference = 0;  // libllama against us, largest, in units of the largest logit
  double adapter_effect = 0;     // by how much the adapter moves libllama's logits, likewise
  // The merged file's logits against ours, likewise; empty: none was made.
  std::optional<double> merged_difference = {};
  std::optional<ServedQuality> served_before = {},
                               served = {};  // empty: there is no llama-server here
  std::vector<std::string> warnings = {};    // what servers must be told, and what was not made
};
json::value to_json(const LoraReport& report);

Result<LoraReport> train_lora(std::span<const TuningExample> examples,
                              const std::filesystem::path& directory, const LoraOptions& options);

}  // namespace understudy::s5
