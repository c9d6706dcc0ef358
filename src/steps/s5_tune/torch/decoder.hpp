// A decoder of any family that has a plan, with an adapter on it: logits, and the loss with the
// adapter's gradients, written by hand (no autograd graph). What a layer keeps for its backward
// pass is about 13 values a token and unit of width; logits exist for some rows at a time only.
// One thread calls; ATen's threads help. Runs under c10::InferenceMode.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "steps/s5_tune/families/decoder_plan.hpp"
#include "steps/s5_tune/torch/adapted_linear.hpp"
#include "steps/s5_tune/torch/attention.hpp"
#include "steps/s5_tune/torch/pack.hpp"

namespace understudy::s5 {

struct PackLoss {
  double loss = 0;          // sum over the rows of weight * nats; NaN once diverged
  std::vector<bool> right;  // of each row: the likeliest token is the target
};

class Decoder {
 public:
  // All must outlive this; `adapter` may be null.
  Decoder(const DecoderPlan& plan, BaseWeights& weights, const Adapter* adapter);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // rows x vocabulary in the type of sums, of pack.rows.
  [[nodiscard]] at::Tensor logits(const Pack& pack);
  [[nodiscard]] PackLoss loss(const Pack& pack);
  // Adds to the adapter's gradients. `seed` draws the dropout.
  PackLoss loss_and_gradients(const Pack& pack, std::uint64_t seed);

 private:
  struct Layer;
  struct LayerPass;

  at::Tensor embed(const Pack& pack);
  at::Tensor run(const Pack& pack, std::vector<LayerPass>* passes, std::uint64_t seed);
  at::Tensor forward_layer(const Pack& pack, const Layer& layer, at::Tensor x, LayerPass& pass);
  at::Tensor backward_layer(const Pack& pack, const Layer& layer, const LayerPass& pass,
                            const at::Tensor& dout);
  [[nodiscard]] at::Tensor turns_for(const LayerPlan& layer);
  // The loss at the head's rows; with `dhidden`, its gradient.
  PackLoss head_loss(const Pack& pack, const at::Tensor& hidden, at::Tensor* dhidden);
  [[nodiscard]] const lm::StoredTensor& head() const;

  const DecoderPlan& plan_;
  BaseWeights& weights_;
  const Adapter* adapter_;
  at::Tensor norm_;
  std::vector<Layer> layers_;
};

}  // namespace understudy::s5
