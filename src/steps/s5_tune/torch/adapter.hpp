// The trained part of LoRA (arXiv 2106.09685): for each adapted linear layer W two matrices, so
// that y = W x + scale * B (A x). All of them lie in one flat buffer of parameters and one of
// gradients, in f32 (f64 to check gradients); products use copies in the computed type. With DoRA
// y = m / |W + scale * B A| * (W x + scale * B (A x)), row by row, and m is trained too; the length
// in the denominator counts as constant, as in its paper (4.3). One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "steps/s5_tune/families/decoder_plan.hpp"
#include "steps/s5_tune/torch/trained.hpp"

namespace understudy::s5 {

enum class RankScale { by_rank, by_root };  // alpha / r, or rsLoRA's alpha / sqrt(r)

struct AdapterOptions {
  std::int64_t rank = 16;
  double alpha = 32;
  RankScale rank_scale = RankScale::by_rank;
  bool magnitudes = false;                // DoRA (arXiv 2402.09353): a trained length of each row
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
  at::Tensor magnitude = {}, gradient_magnitude = {};  // DoRA only: rows
};

class Adapter : public Trained {
 public:
  // The A of layers that read the same rows (q, k and v; gate and up) lie one behind the other.
  // invalid_input names a target that no layer has. A is drawn as PyTorch's Linear, B is zero. What
  // DoRA's magnitudes begin with, only the weights know: Decoder sets them.
  static Result<Adapter> create(const DecoderPlan& plan, const AdapterOptions& options,
                                const Computing& computing);

  // The same parameters, and gradients of its own: zero.
  [[nodiscard]] Adapter with_own_gradients() const;

  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] const AdapterOptions& options() const { return options_; }
  [[nodiscard]] const std::vector<AdapterModule>& modules() const { return modules_; }
  [[nodiscard]] const AdapterModule* find(std::int64_t layer, const std::string& gguf) const;

 private:
  AdapterOptions options_;
  double scale_ = 1;
  std::vector<AdapterModule> modules_;
};

}  // namespace understudy::s5
