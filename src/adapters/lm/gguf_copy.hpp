// Writes a GGUF file with another one's keys, vocabulary and tensors, the weights in f32 and as the
// caller gives them: a tensor at a time, so that a model need not fit into memory twice. And
// quantises what was written, by libllama's own llama-quantize. One thread.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/gguf_file.hpp"
#include "base/result.hpp"

namespace understudy::lm {

// The values of a tensor of `from`, as they are to be written.
using TensorValues = std::function<std::vector<float>(const StoredTensor&)>;

// exhausted: the disk is full, or the directory cannot be written. Not atomic.
Status write_gguf_copy(const GgufFile& from, const std::filesystem::path& path,
                       const TensorValues& values);

// "F16", "Q4_K_M"...; invalid_input lists them.
std::span<const std::string_view> quantisations();
Status quantise_gguf(const std::filesystem::path& from, const std::filesystem::path& to,
                     std::string_view as);

}  // namespace understudy::lm
