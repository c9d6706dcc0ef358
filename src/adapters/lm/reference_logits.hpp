// What libllama computes for a GGUF model: the reference that every export of ours is compared with
// before it counts. Loads the model anew; one thread; for short texts.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "adapters/lm/vocabulary.hpp"
#include "base/result.hpp"

namespace understudy::lm {

// One row of logits a token, each as long as the vocabulary.
Result<std::vector<std::vector<float>>> reference_logits(const std::filesystem::path& gguf,
                                                         std::span<const Token> tokens);

}  // namespace understudy::lm
