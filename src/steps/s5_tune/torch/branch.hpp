// What a layer adds to its input: attention, a feed-forward part, a state-space block; forward and
// backward by hand. A branch keeps what its backward pass needs in a pass of its own kind. It has
// normed rows for input and adds to the gradients of what is trained. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "steps/s5_tune/families/decoder_plan.hpp"
#include "steps/s5_tune/torch/adapted_linear.hpp"
#include "steps/s5_tune/torch/pack.hpp"

namespace understudy::s5 {

struct BranchPass {
  virtual ~BranchPass() = default;
};

class Branch {
 public:
  virtual ~Branch() = default;
  // tokens x width -> tokens x width. `seed` draws the dropout; 0: none.
  virtual at::Tensor forward(const Pack& pack, const at::Tensor& normed, std::uint64_t seed,
                             std::unique_ptr<BranchPass>& pass) = 0;
  // dnormed += ..., or = where it is undefined.
  virtual void backward(const Pack& pack, const at::Tensor& dout, const at::Tensor& normed,
                        const BranchPass& pass, at::Tensor& dnormed) = 0;
};

struct BranchParts {
  const DecoderPlan& plan;
  std::int64_t layer = 0;
  BaseWeights& weights;
  const Adapter* adapter = nullptr;

  [[nodiscard]] std::string name(std::string_view part) const {
    return "blk." + std::to_string(layer) + "." + std::string(part);
  }
  [[nodiscard]] AdaptedLinear linear(const std::string& gguf) const {
    return {weights, name(gguf), adapter,
            adapter == nullptr ? nullptr : adapter->find(layer, gguf)};
  }
};

// `turns`: positions x rope_width, cos and sin.
std::unique_ptr<Branch> make_attention(const BranchParts& parts, const at::Tensor& turns);
std::unique_ptr<Branch> make_feed_forward(const BranchParts& parts);
std::unique_ptr<Branch> make_state_space(const BranchParts& parts);  // Mamba-2
std::unique_ptr<Branch> make_short_convolution(const BranchParts& parts);

// The seed of a linear layer of its own, from its layer's and its place there.
std::uint64_t mixed_seed(std::uint64_t seed, std::uint64_t with);

}  // namespace understudy::s5
