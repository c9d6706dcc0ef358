// AdamW over a flat buffer of parameters (arXiv 1711.05101), with its averages in f32 or in 8 bits:
// blocks of 256 values as codes under the block's largest one, spaced by powers so that small
// values keep their digits (the idea of arXiv 2110.02861). 8-bit averages survive a checkpoint bit
// for bit. State lies where the parameters do. One thread calls; ATen's threads help.
#pragma once

#include <cstdint>

#include "steps/s5_tune/torch/trained.hpp"

namespace understudy::s5 {

enum class OptimiserState { f32, eight_bits };

struct AdamWOptions {
  OptimiserState state = OptimiserState::f32;
  double weight_decay = 0;
  double gradient_norm_max = 1;
};

class AdamW {
 public:
  // `trained` must outlive this.
  AdamW(const Trained& trained, const AdamWOptions& options);

  // Scales the gradients down to the largest norm, takes step number `step` (from 0) and refreshes
  // what is trained. Returns the norm that the gradients had.
  double step(Trained& trained, std::int64_t step, double rate);

  // The averages as f32, to keep and to restore.
  [[nodiscard]] at::Tensor first() const;
  [[nodiscard]] at::Tensor second() const;
  void restore(const at::Tensor& first, const at::Tensor& second);
  [[nodiscard]] std::size_t state_bytes() const;

 private:
  struct Codes {
    at::Tensor codes;    // uint8, of whole blocks
    at::Tensor largest;  // f32, of each block
  };
  struct Step {
    float size, correction, decay;
  };
  [[nodiscard]] Codes make_codes(const Trained& trained, std::uint8_t zero) const;
  void step_in_eight_bits(Trained& trained, const Step& by);
  void step_composed(Trained& trained, const Step& by);

  AdamWOptions options_;
  OperationForm form_;
  std::int64_t count_;
  at::Tensor first_, second_;         // f32 only
  Codes first_codes_, second_codes_;  // 8 bits only
};

}  // namespace understudy::s5
