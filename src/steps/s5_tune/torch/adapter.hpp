// The trained part of LoRA (arXiv 2106.09685): for each adapted linear layer W two matrices, so
// that y = W x + scale * B (A x). All of them lie in one flat buffer of parameters and one of
// gradients, in f32 (f64 to check gradients); products use copies in the computed type. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "steps/s5_tune/families/decoder_plan.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

enum class RankScale { by_rank, by_root };  // alpha / r, or rsLoRA's alpha / sqrt(r)

struct AdapterOptions {
  std::int64_t rank = 16;
  double alpha = 32;
  RankScale rank_scale = RankScale::by_rank;
  double dropout = 0;                     // share of an adapter's inputs left out in training
  std::vector<std::string> targets = {};  // "q_proj", "attn_q"...; none: every linear layer
  std::uint64_t seed = 1;
};

struct AdapterModule {
  std::int64_t layer = 0;
  LinearModule linear = {};
  at::Tensor a = {}, b = {};                    // r x columns, rows x r: views of the parameters
  at::Tensor gradient_a = {}, gradient_b = {};  // views of the gradients
  at::Tensor low = {}, high = {};               // a and b in the computed type
};

class Adapter {
 public:
  // invalid_input names a target that no layer has. A is drawn as PyTorch's Linear, B is zero.
  static Result<Adapter> create(const DecoderPlan& plan, const AdapterOptions& options,
                                at::ScalarType compute);

  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] const AdapterOptions& options() const { return options_; }
  [[nodiscard]] const at::Tensor& parameters() const { return parameters_; }
  [[nodiscard]] const at::Tensor& gradients() const { return gradients_; }
  [[nodiscard]] const std::vector<AdapterModule>& modules() const { return modules_; }
  [[nodiscard]] const AdapterModule* find(std::int64_t layer, const std::string& gguf) const;
  // After every change of the parameters.
  void refresh();

 private:
  AdapterOptions options_;
  double scale_ = 1;
  at::Tensor parameters_;
  at::Tensor gradients_;
  at::Tensor computed_;
  std::vector<AdapterModule> modules_;
};

}  // namespace understudy::s5
