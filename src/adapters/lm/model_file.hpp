// What the head of a GGUF model file says about the model: enough to know its size in memory
// without loading it. Every stored type is accepted (gguf_file.hpp reads the weights of some). A
// model split into several files is read as one, from the first of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace understudy::lm {

struct ModelFile {
  std::filesystem::path path = {};
  std::string name = {};          // general.name; empty where the file has none
  std::string architecture = {};  // "qwen3"
  std::string licence = {};       // general.license; empty where the file does not say
  std::string stored_as = {};     // the type that most bytes have: "q4_K"
  std::int64_t parameters = 0;
  std::int64_t weight_bytes = 0;
  std::int64_t context_tokens = 0;  // that it was trained for; 0: not said
  std::int64_t layers = 0;
  std::int64_t kv_bytes_per_token = 0;  // of all layers with attention, in f16
  std::int64_t vocabulary = 0;
  bool has_chat_template = false;
};

// not_found; corrupt: no GGUF, truncated, without an architecture, or no language model; all name
// the file.
Result<ModelFile> read_model_file(const std::filesystem::path& path);

}  // namespace understudy::lm
