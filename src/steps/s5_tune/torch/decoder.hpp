// A decoder of any family that has a plan: logits, and the loss with the gradients of what is
// trained (an adapter on it, or all of its weights), written by hand (no autograd graph). What a
// layer keeps for its backward pass is about 13 values a token and unit of width, or with
// checkpoints one; logits exist for some rows at a time only. Takes packs on the CPU wherever it
// computes. One thread calls; ATen's threads help. Runs under c10::InferenceMode.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "steps/s5_tune/families/decoder_plan.hpp"
#include "steps/s5_tune/torch/branch.hpp"
#include "steps/s5_tune/torch/norm.hpp"
#include "steps/s5_tune/torch/operations.hpp"
#include "steps/s5_tune/torch/pack.hpp"

namespace understudy::s5 {

struct PackLoss {
  double loss = 0;          // sum over the rows of weight * nats; NaN once diverged
  std::vector<bool> right;  // of each row: the likeliest token is the target
};

// Whether layers keep what their backward pass needs, or compute it again from their input: a third
// more work, and little memory.
enum class Activations { kept, recomputed };

class Decoder {
 public:
  // All must outlive this; `adapter` may be null. DoRA's magnitudes are set where they are zero.
  // RoPE's tables are those of `like` where it is given: of the same plan.
  Decoder(const DecoderPlan& plan, BaseWeights& weights, const Adapter* adapter,
          Activations activations = Activations::kept, const Decoder* like = nullptr);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // rows x vocabulary in the type of sums, of pack.rows; where the decoder computes.
  [[nodiscard]] at::Tensor logits(const Pack& pack);
  [[nodiscard]] PackLoss loss(const Pack& pack);
  // The k likeliest tokens of each of pack.rows, with their probabilities at the temperature.
  [[nodiscard]] SoftTargets likeliest(const Pack& pack, std::int64_t k, double temperature);
  // Adds to the gradients of what is trained. `seed` draws the dropout. Soft targets count here
  // only.
  PackLoss loss_and_gradients(const Pack& pack, std::uint64_t seed);

 private:
  struct Step;
  struct StepPass;

  void add_steps(std::int64_t layer);
  // The pack where the decoder computes: itself, or what `moved` then holds.
  const Pack& here(const Pack& pack, std::optional<Pack>& moved) const;
  at::Tensor embed(const Pack& pack);
  void add_embedding_gradients(const Pack& pack, const at::Tensor& dx);
  at::Tensor run(const Pack& pack, std::vector<StepPass>* passes, std::uint64_t seed);
  at::Tensor forward_step(const Pack& pack, const Step& step, at::Tensor x, StepPass& pass) const;
  at::Tensor backward_step(const Pack& pack, const Step& step, const StepPass& pass,
                           const at::Tensor& dout) const;
  [[nodiscard]] at::Tensor turns_for(const LayerPlan& layer);
  [[nodiscard]] at::Tensor logits_of(const at::Tensor& hidden, const at::Tensor& table) const;
  // The loss at the head's rows; with `dhidden`, its gradient.
  PackLoss head_loss(const Pack& pack, const at::Tensor& hidden, at::Tensor* dhidden);
  [[nodiscard]] const lm::StoredTensor& head() const;

  const DecoderPlan& plan_;
  BaseWeights& weights_;
  const Adapter* adapter_;
  Operations operations_;
  Activations activations_;
  Norm norm_;
  const PackedMatrices::Matrix* packed_head_ = nullptr;
  at::Tensor head_bias_;
  std::vector<Step> steps_;
  struct Turns {
    LayerPlan layer;
    at::Tensor values;
  };
  std::vector<Turns> turns_;
};

}  // namespace understudy::s5
