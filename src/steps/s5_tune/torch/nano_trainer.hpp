// Trains a nano model on texts and writes DIR/model.gguf, metrics.jsonl and card.json. The written
// model is loaded back through libllama and its logits compared with the training forward pass; an
// export that differs is an error, not a model. One thread calls; deterministic for a seed, data
// and thread count as long as the time limit does not bind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/training_text.hpp"

namespace understudy::s5 {

struct NanoOptions {
  double minutes_max = 10;
  std::uint64_t seed = 1;
  int threads = 0;  // 0: half of the machine's, which on most is the number of real cores
  std::uint32_t width = 128;
  std::uint32_t layers = 3;
  std::uint32_t heads = 4;
  std::uint32_t feed_forward = 320;
  std::size_t pieces_max = 1024;
  std::int64_t batch_tokens = 1024;
  std::int64_t steps_max = 4000;
  double learning_rate = 1.5e-3;
};

struct NanoReport {
  std::size_t examples = 0;
  std::size_t left_out = 0;
  std::int64_t parameters = 0;
  std::int64_t steps = 0;
  double seconds = 0;
  double tokens_per_s = 0;
  double validation_loss = 0;    // nats a token
  double validation_exact = 0;   // share of answers with every token right
  double logits_difference = 0;  // libllama against us, largest, in units of the logits' deviation
};
json::value to_json(const NanoReport& report);

Result<NanoReport> train_nano(std::span<const TrainingExample> examples,
                              const std::filesystem::path& directory, const NanoOptions& options);

}  // namespace understudy::s5
