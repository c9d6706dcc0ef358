// What a model file says about its network, in one form for all decoder families: shapes, scales,
// and which of the shared blocks it is built of. The forward pass (../torch) follows the plan and
// knows no family's name. Pure data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace understudy::s5 {

// Which two values of a head turn together: 2i and 2i+1, or i and i + half of the head.
enum class RopePairs { adjacent, halves };
enum class Gate { silu, gelu, relu_squared };  // gelu by its tanh form
enum class Norms { root_mean_square, layer };

// What a layer adds to its input, each behind a norm of its own.
enum class Mixer {
  attention_then_feed_forward,
  attention_and_feed_forward,  // both read the same normed input
  attention,
  feed_forward,
  state_space,                                  // Mamba-2
  short_convolution_then_feed_forward,          // LFM2
  attention_and_state_space_then_feed_forward,  // both read the same normed input
};

// A linear layer that an adapter may sit on; both names without "blk.N." or "model.layers.N.".
struct LinearModule {
  std::string gguf = {};  // "attn_q"
  std::string hf = {};    // "self_attn.q_proj"
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  // Rows of each head lie in the order of adjacent pairs in the GGUF file and of halves in Hugging
  // Face's; 0: the same order in both.
  std::int64_t reordered_heads = 0;
  double hf_factor = 1;  // the GGUF file's weights are Hugging Face's times this
};

struct LayerPlan {
  std::int64_t window = 0;  // tokens that a token sees, itself included; 0: all before it
  double rope_base = 10'000;
  double rope_scale = 1;  // positions are multiplied by it
  bool turned = true;     // by RoPE
  Mixer mixer = Mixer::attention_then_feed_forward;
};

// Mamba-2 (arXiv 2405.21060): heads * head_width is the inner width.
struct StateSpacePlan {
  std::int64_t convolution = 0;  // tokens
  std::int64_t heads = 0;
  std::int64_t head_width = 0;
  std::int64_t groups = 0;  // of heads that share B and C
  std::int64_t state = 0;   // values a head keeps for each of its channels
  bool normed = true;       // by groups, before the out-projection

  [[nodiscard]] std::int64_t inner() const { return heads * head_width; }
  [[nodiscard]] std::int64_t convolved() const { return inner() + 2 * groups * state; }
  [[nodiscard]] std::int64_t projected() const { return inner() + convolved() + heads; }
};

struct DecoderPlan {
  std::string architecture;
  std::int64_t context = 0;  // tokens
  std::int64_t width = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_width = 0;
  std::int64_t rope_width = 0;  // of a head; the rest is not turned
  std::int64_t feed_forward = 0;
  std::int64_t vocabulary = 0;
  double norm_epsilon = 1e-5;
  RopePairs rope_pairs = RopePairs::adjacent;
  Norms norms = Norms::root_mean_square;
  Gate gate = Gate::silu;
  bool gated = true;           // the activation of one matrix times another; else of one alone
  bool fused_qkv = false;      // one matrix attn_qkv: q | k | v
  bool fused_gate_up = false;  // one matrix ffn_up: gate | up
  bool query_key_norms = false;
  bool post_norms = false;  // a further norm behind each branch
  bool tied = false;        // the output head is the embedding table
  double embedding_scale = 1;
  double residual_scale = 1;
  double attention_scale = 1;
  double attention_cap = 0;  // scores s become cap * tanh(s / cap); 0: they stay
  double logit_scale = 1;    // logits are multiplied by it
  double logit_cap = 0;      // likewise for logits
  // The tensor with divisors of RoPE's frequencies, where the file has one; what is turned is then
  // multiplied by the gain.
  std::string rope_factors = "rope_freqs.weight";
  double rope_gain = 1;
  StateSpacePlan state_space = {};
  std::int64_t short_convolution = 0;  // tokens that it reaches over
  std::string output_norm = "output_norm";
  bool multiplied_in_hf = false;  // by factors that the file's weights hold and no key names
  std::string hf_layers = "model.layers";
  std::vector<LayerPlan> layers = {};
  // In the order of the forward pass; a layer has those of its mixer.
  std::vector<LinearModule> modules = {};

  [[nodiscard]] bool has_attention(std::size_t layer) const {
    const Mixer mixer = layers[layer].mixer;
    return mixer != Mixer::feed_forward && mixer != Mixer::state_space &&
           mixer != Mixer::short_convolution_then_feed_forward;
  }
  [[nodiscard]] bool has_feed_forward(std::size_t layer) const {
    const Mixer mixer = layers[layer].mixer;
    return mixer != Mixer::attention && mixer != Mixer::state_space;
  }
  [[nodiscard]] bool has_module(std::size_t layer, const LinearModule& module) const {
    if (module.gguf.starts_with("attn_")) return has_attention(layer);
    if (module.gguf.starts_with("shortconv.")) {
      return layers[layer].mixer == Mixer::short_convolution_then_feed_forward;
    }
    return has_feed_forward(layer);
  }
  [[nodiscard]] std::vector<LinearModule> modules_of(std::size_t layer) const {
    std::vector<LinearModule> some;
    for (const LinearModule& module : modules) {
      if (has_module(layer, module)) some.push_back(module);
    }
    return some;
  }
  [[nodiscard]] std::int64_t query_width() const { return heads * head_width; }
  [[nodiscard]] std::int64_t kv_width() const { return kv_heads * head_width; }
};

}  // namespace understudy::s5
