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
enum class Gate { silu, gelu };  // gelu by its tanh form

// A linear layer that an adapter may sit on; both names without "blk.N." or "model.layers.N.".
struct LinearModule {
  std::string gguf = {};  // "attn_q"
  std::string hf = {};    // "self_attn.q_proj"
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  // Rows of each head lie in the order of adjacent pairs in the GGUF file and of halves in Hugging
  // Face's; 0: the same order in both.
  std::int64_t reordered_heads = 0;
};

struct LayerPlan {
  std::int64_t window = 0;  // tokens that a token sees, itself included; 0: all before it
  double rope_base = 10'000;
  double rope_scale = 1;  // positions are multiplied by it
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
  Gate gate = Gate::silu;
  bool fused_qkv = false;      // one matrix attn_qkv: q | k | v
  bool fused_gate_up = false;  // one matrix ffn_up: gate | up
  bool query_key_norms = false;
  bool tied = false;  // the output head is the embedding table
  double embedding_scale = 1;
  double residual_scale = 1;
  double attention_scale = 1;
  double logit_scale = 1;  // logits are multiplied by it
  std::vector<LayerPlan> layers = {};
  std::vector<LinearModule> modules = {};  // of every layer, in the order of the forward pass

  [[nodiscard]] std::int64_t query_width() const { return heads * head_width; }
  [[nodiscard]] std::int64_t kv_width() const { return kv_heads * head_width; }
};

}  // namespace understudy::s5
