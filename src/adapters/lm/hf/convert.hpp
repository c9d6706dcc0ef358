// A Hugging Face model directory (config.json, safetensors, tokenizer.json) as a GGUF file, which
// everything behind it reads: training, llama-server, evaluation. Weights keep their type (f32,
// f16, bf16); tensors are copied one at a time, so the model need not fit into memory. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace understudy::lm {

// True where `path` is a directory that holds a config.json.
bool is_model_directory(const std::filesystem::path& path);
// What people call the model: the directory's name, or that of a download cache's entry.
std::string name_of_model_directory(const std::filesystem::path& directory);

// What becomes of a GGUF file that was made of the directory as it was before.
enum class Stale { kept, replaced };

// Sees to it that `gguf` is the model of `directory`: writes it (beside it first, then renamed; for
// its owner's eyes) unless it was made of the same files. Processes that want the same file wait
// for each other. unsupported, corrupt, not_found name the file of the directory that is the
// reason; conflict: `gguf` is something else, or is stale and kept.
Status provide_gguf(const std::filesystem::path& directory, const std::filesystem::path& gguf,
                    Stale stale);

}  // namespace understudy::lm
