// Makes libllama ready, once a process: loads ggml's back ends, keeps its log to ourselves; and
// loads model files. Private to adapters/lm. Thread-safe.
#pragma once

#include <filesystem>

#include "base/result.hpp"

struct llama_model;
struct llama_model_params;

namespace understudy::lm {

void prepare_llama();

// The libraries write what they find wrong to stderr; our errors say it.
void silence_ggml();

// The model of a GGUF file; the caller owns it (llama_model_free). not_found; corrupt, with what
// the library found wrong. A file over which it would end the program is corrupt too.
Result<llama_model*> load_model(const std::filesystem::path& gguf,
                                const llama_model_params& parameters);

}  // namespace understudy::lm
