// What a Hugging Face model becomes as a GGUF file: the keys of its shape, and for each tensor its
// name, its shape and what is done to its values. One function a family (blueprint_*.cpp); the
// conversion (convert.hpp) follows the blueprint and knows no family. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/gguf_builder.hpp"
#include "adapters/lm/hf/model_config.hpp"
#include "base/result.hpp"

namespace understudy::lm {

enum class Change {
  none,
  pairs_adjacent,        // rows i and i + half of each head come to lie side by side
  plus_one,              // gemma's norms multiply by 1 + weight
  negative_exponential,  // Mamba's A is stored as log(-A)
};

// Rows of a matrix that are multiplied by the same number.
struct RowFactor {
  std::int64_t rows = 0;
  double factor = 1;
};

// A directory's tensor may have several.
struct TensorRule {
  std::string hf = {};    // "model.layers.0.self_attn.q_proj.weight"
  std::string gguf = {};  // "blk.0.attn_q.weight"
  std::int64_t rows = 1;  // in the GGUF file; 1: a vector
  std::int64_t columns = 0;
  std::vector<std::int64_t> shape = {};  // in the directory, where it is another one
  Change change = Change::none;
  std::int64_t heads = 0;               // of pairs_adjacent
  std::vector<RowFactor> factors = {};  // of a matrix, all its rows in order; none: they stay
  bool optional = false;
  bool zero_if_absent = false;
  bool in_f32 = false;  // vectors always are: libllama multiplies by them in f32
};

// A tensor that follows from the configuration.
struct ComputedTensor {
  std::string gguf;
  std::vector<float> values;
};

struct Blueprint {
  std::string architecture;
  std::int64_t vocabulary = 0;
  std::vector<TensorRule> tensors = {};
  std::vector<ComputedTensor> computed = {};
};

// unsupported names the model_type and lists those that are known, or the key of a variant that is
// not computed here. Keys go into `file`.
Result<Blueprint> blueprint_of(const ModelConfig& config, GgufBuilder& file);

// Files name the same tensor with and without the names of what is around the language model:
// "language_model.model.layers...", "backbone.layers...". Empty: no part of the language model.
std::string plain_tensor_name(std::string_view name);

}  // namespace understudy::lm
