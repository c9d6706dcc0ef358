// Measures a model file on this machine by llama.cpp's own llama-bench: what was estimated from the
// file's size is thereby known. Takes seconds to minutes by the model's size; blocks; Ctrl-C ends
// it.
#pragma once

#include <filesystem>
#include <string_view>

#include "adapters/lm/model_speed.hpp"
#include "base/result.hpp"

namespace understudy::lm {

struct BenchmarkOptions {
  std::filesystem::path model;
  unsigned threads = 1;
  int prompt_tokens = 256;
  int answer_tokens = 32;
};

// not_found without llama-bench; unavailable where it cannot run the model, with what it said.
Result<ModelSpeed> benchmark_model(const BenchmarkOptions& options);
// From its JSON lines; pure.
Result<ModelSpeed> parse_benchmark(std::string_view lines);

}  // namespace understudy::lm
