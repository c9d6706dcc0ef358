// The nano model: a llama-architecture transformer (RMSNorm, RoPE, SwiGLU, tied embeddings) with
// its gradients written by hand: no autograd graph, one flat buffer of parameters and one of
// gradients. The last layer's feed-forward part and the output head are computed only for the rows
// that predict an answer token, which saves about a quarter of the work. One thread calls; ATen's
// threads help.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/lm/gguf_writer.hpp"
#include "steps/s5_tune/torch/aten.hpp"

namespace understudy::s5 {

// Texts side by side, padded at their ends to one length.
struct Batch {
  std::int64_t texts = 0;
  std::int64_t length = 0;
  at::Tensor tokens = {};   // int64, texts * length
  at::Tensor rows = {};     // int64: the tokens whose successor is to be predicted
  at::Tensor targets = {};  // int64: those successors
  at::Tensor weights = {};  // of each row in the loss, normalised by their sum; the network's type
};

class NanoNetwork {
 public:
  // `type`: at::kFloat to train, at::kDouble to check the gradients.
  NanoNetwork(const lm::LlamaShape& shape, at::ScalarType type, std::uint64_t seed);

  [[nodiscard]] at::Tensor logits(const Batch& batch) const;  // rows x vocabulary
  // The loss (weighted mean cross-entropy in nats a token) and its gradient.
  double loss_and_gradient(const Batch& batch);

  [[nodiscard]] at::Tensor& parameters() { return parameters_; }
  [[nodiscard]] const at::Tensor& gradient() const { return gradient_; }
  [[nodiscard]] const lm::LlamaShape& shape() const { return shape_; }

  // Views into both buffers: matrices are decayed by the optimiser, gains are not.
  struct Parts {
    std::vector<at::Tensor> matrices;
    std::vector<at::Tensor> gains;
  };
  [[nodiscard]] Parts split(const at::Tensor& flat) const;
  // As llama.cpp names them; they view the parameters (f32 only).
  [[nodiscard]] std::vector<lm::NamedTensor> tensors() const;

 private:
  struct Block;      // views of one layer's parameters or gradients
  struct Weights;    // views of all
  struct LayerPass;  // what a layer's backward pass needs of its forward pass
  struct Pass;

  [[nodiscard]] Weights weights(const at::Tensor& flat) const;
  Pass forward(const Batch& batch) const;
  at::Tensor forward_layer(const Batch& batch, const Block& block, const at::Tensor& x,
                           bool answers_only, LayerPass& pass) const;
  at::Tensor backward_layer(const Batch& batch, const Block& block, const Block& gradient,
                            const LayerPass& pass, const at::Tensor& dout) const;
  [[nodiscard]] std::int64_t parameter_count() const;

  lm::LlamaShape shape_;
  at::Tensor parameters_;
  at::Tensor gradient_;
  at::Tensor turns_;  // context x head_width: cos and sin
};

}  // namespace understudy::s5
