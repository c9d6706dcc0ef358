#include "steps/s5_tune/torch/block_expansion.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "steps/s5_tune/torch/tiny_model.hpp"

namespace understudy::s5 {
namespace {

// ggml's own expansion is the standard; where it multiplies and subtracts in one rounding, ours
// takes two.
TEST(BlockExpansion, IsGgmls) {
  const c10::InferenceMode no_autograd;
  std::string directory = "/tmp/understudy-blocks-test-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const auto path = std::filesystem::path(directory) / "tiny.gguf";
  for (const auto type : {lm::StoredAs::q8_0, lm::StoredAs::q6_k, lm::StoredAs::q5_k,
                          lm::StoredAs::q4_k, lm::StoredAs::q4_0}) {
    ASSERT_TRUE(write_tiny_model(path, {.width = 512, .matrices = type}));
    const auto file = lm::GgufFile::open(path).value();
    std::size_t compared = 0;
    for (const lm::StoredTensor& tensor : file.tensors()) {
      if (tensor.type != type) continue;
      std::vector<float> theirs = lm::expand(tensor);
      const at::Tensor expected = at::from_blob(theirs.data(), {tensor.rows, tensor.columns},
                                                at::TensorOptions(at::kFloat));
      const at::Tensor ours = expand_blocks(
          type, at::from_blob(const_cast<std::byte*>(tensor.bytes.data()),
                              {tensor.rows, static_cast<std::int64_t>(tensor.row_bytes())},
                              at::TensorOptions(at::kByte)));
      const bool subtracts = type == lm::StoredAs::q4_k || type == lm::StoredAs::q5_k;
      if (subtracts) {
        EXPECT_LT(ours.sub(expected).abs().max().item<double>(),
                  1e-6 * expected.abs().max().item<double>())
            << tensor.name << ' ' << lm::to_string(type);
      } else {
        EXPECT_TRUE(ours.equal(expected)) << tensor.name << ' ' << lm::to_string(type);
      }
      ++compared;
    }
    EXPECT_GT(compared, 8U) << lm::to_string(type);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace understudy::s5
