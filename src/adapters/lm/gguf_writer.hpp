// Writes a llama-architecture model as GGUF (by ggml's gguf.h): what llama-server, vLLM and every
// llama.cpp front end load. RoPE is the interleaved kind (pairs 2i, 2i+1), so weights trained that
// way need no permutation; the output head is the embedding table (tied). One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "adapters/lm/tokenizer_fit.hpp"
#include "base/result.hpp"

namespace understudy::lm {

struct LlamaShape {
  std::uint32_t context = 512;  // tokens
  std::uint32_t width = 128;
  std::uint32_t layers = 4;
  std::uint32_t heads = 4;
  std::uint32_t feed_forward = 384;
  std::uint32_t vocabulary = 0;
  float rope_base = 10000;
  float norm_epsilon = 1e-5F;

  [[nodiscard]] std::uint32_t head_width() const { return width / heads; }
};

// A row-major matrix of rows x columns; a vector has one row.
struct NamedTensor {
  std::string name;  // as llama.cpp names it, "blk.0.attn_q.weight"
  std::int64_t rows = 1;
  std::int64_t columns = 0;
  std::span<const float> values;
};

struct GgufContent {
  LlamaShape shape = {};
  std::string name = {};
  TokenTable tokens = {};
  std::map<std::string, std::string> facts = {};  // stored as strings under their keys
  std::vector<NamedTensor> tensors = {};          // none: a file that holds the vocabulary only
};

// Writes PATH; exhausted/denied name it. Not atomic: the caller writes into a fresh directory.
Status write_gguf(const std::filesystem::path& path, const GgufContent& content);

}  // namespace understudy::lm
