// Random-weight models of small true shape, one of each family, as GGUF files: for tests and for
// `./dev bench train`, which measures shapes whose weights need not mean anything. Their vocabulary
// is the 256 bytes, "<unk>", "<s>" and "</s>", padded with unused tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "adapters/lm/gguf_file.hpp"
#include "base/result.hpp"

namespace understudy::s5 {

struct TinyModel {
  std::string architecture = "llama";
  std::int64_t context = 256;
  std::int64_t context_before = 0;  // phi3 only: it was stretched by long-RoPE; 0: it was not
  std::int64_t width = 256;         // K-quants have blocks of 256 values
  std::int64_t layers = 2;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 2;
  std::int64_t head_width = 64;
  std::int64_t feed_forward = 256;
  std::int64_t vocabulary = 288;
  bool tied = true;
  double embedding_deviation = 0.5;
  // Where a row's values make no whole blocks of it, Q8_0 is taken, as llama-quantize takes
  // another.
  lm::StoredAs matrices = lm::StoredAs::f32;
  std::uint64_t seed = 1;
};

// unsupported: no family of that name.
Status write_tiny_model(const std::filesystem::path& path, const TinyModel& model);

}  // namespace understudy::s5
