// A nano model behind a llama-server of its own: values to pointers, tokens in, tokens out,
// pointers to values. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>

#include "adapters/lm/small_model.hpp"
#include "base/result.hpp"

namespace understudy::lm {

inline constexpr const char* nano_file_name = "model.gguf";

struct NanoModelOptions {
  std::filesystem::path artifact_dir;
  std::size_t parallel = 4;
  std::size_t threads = 1;
};

Result<std::unique_ptr<SmallModel>> open_nano(const NanoModelOptions& options);

}  // namespace understudy::lm
