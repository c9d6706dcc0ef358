#include "steps/s5_tune/torch/nano_network.hpp"

#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>

#include <cmath>
#include <random>

#include "steps/s5_tune/torch/row_kernels.hpp"

namespace understudy::s5 {

struct NanoNetwork::Block {
  at::Tensor attention_norm;  // d
  at::Tensor qkv;             // 3d x d
  at::Tensor output;          // d x d
  at::Tensor ffn_norm;        // d
  at::Tensor gate_up;         // 2f x d
  at::Tensor down;            // d x f
};

struct NanoNetwork::Weights {
  at::Tensor embedding;  // V x d
  std::vector<Block> blocks;
  at::Tensor norm;  // d
};

struct NanoNetwork::LayerPass {
  bool answers_only = false;
  at::Tensor x;                            // N x d, the layer's input
  at::Tensor normed, scale;                // of the attention part
  at::Tensor qkv;                          // N x 3d, q and k rotated
  at::Tensor attended, log_sums;           // texts x heads x length x head_width, and of softmax
  at::Tensor mixed;                        // M x d: heads side by side, M rows go on
  at::Tensor middle;                       // M x d: after the attention part
  at::Tensor ffn_normed, ffn_scale;        // of the feed-forward part
  at::Tensor gate_up, sigmoid, activated;  // M x 2f, M x f, M x f
};

struct NanoNetwork::Pass {
  std::vector<LayerPass> layers;
  at::Tensor x;              // M x d: the last layer's output
  at::Tensor normed, scale;  // M x d, M
  at::Tensor logits;         // M x V
};

namespace {

struct Heads {
  at::Tensor query, key, value;  // texts x heads x length x head_width
};

// Views into rows of [q | k | v].
Heads heads_of(const at::Tensor& qkv, const Batch& batch, const lm::LlamaShape& shape) {
  const at::Tensor parts =
      qkv.view({batch.texts, batch.length, 3, shape.heads, shape.head_width()});
  return {.query = parts.select(2, 0).transpose(1, 2),
          .key = parts.select(2, 1).transpose(1, 2),
          .value = parts.select(2, 2).transpose(1, 2)};
}

template <class Function>
void with_real(const at::Tensor& tensor, Function&& function) {
  if (tensor.scalar_type() == at::kDouble) {
    function(double{});
  } else {
    function(float{});
  }
}

std::pair<at::Tensor, at::Tensor> normed(const at::Tensor& x, const at::Tensor& gain,
                                         double epsilon) {
  at::Tensor out = at::empty_like(x);
  at::Tensor scale = at::empty({x.size(0)}, x.options());
  with_real(x, [&]<class Real>(Real) {
    rms_norm<Real>(x.size(0), x.size(1), x.const_data_ptr<Real>(), gain.const_data_ptr<Real>(),
                   static_cast<Real>(epsilon), out.data_ptr<Real>(), scale.data_ptr<Real>());
  });
  return {out, scale};
}

struct NormPass {
  const at::Tensor& x;
  const at::Tensor& gain;
  const at::Tensor& scale;
};

// dx += ..., dgain = ...
void normed_backward(const at::Tensor& dout, const NormPass& pass, at::Tensor& dx,
                     const at::Tensor& dgain) {
  with_real(dout, [&]<class Real>(Real) {
    rms_norm_backward<Real>(dout.size(0), dout.size(1), dout.const_data_ptr<Real>(),
                            pass.x.const_data_ptr<Real>(), pass.gain.const_data_ptr<Real>(),
                            pass.scale.const_data_ptr<Real>(), dx.data_ptr<Real>(),
                            dgain.data_ptr<Real>());
  });
}

void rotate_heads(at::Tensor& qkv, const at::Tensor& turns, const lm::LlamaShape& shape,
                  std::int64_t length, int direction) {
  with_real(qkv, [&]<class Real>(Real) {
    // Queries and keys lie side by side: one run over twice the heads.
    rotate<Real>({.rows = qkv.size(0),
                  .positions = length,
                  .heads = 2 * static_cast<std::int64_t>(shape.heads),
                  .head_width = shape.head_width(),
                  .stride = qkv.size(1),
                  .turns = turns.const_data_ptr<Real>(),
                  .direction = static_cast<Real>(direction)},
                 qkv.data_ptr<Real>());
  });
}

at::Tensor turns_of(const lm::LlamaShape& shape, at::ScalarType type) {
  const std::int64_t half = shape.head_width() / 2;
  at::Tensor turns = at::empty({shape.context, half, 2}, at::kDouble);
  double* to = turns.data_ptr<double>();
  for (std::int64_t position = 0; position < shape.context; ++position) {
    for (std::int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(position) *
                           std::pow(static_cast<double>(shape.rope_base),
                                    -2.0 * static_cast<double>(i) / shape.head_width());
      *to++ = std::cos(angle);
      *to++ = std::sin(angle);
    }
  }
  return turns.to(type);
}

void fill_normal(const at::Tensor& tensor, double deviation, std::mt19937_64& random) {
  std::normal_distribution<double> normal(0, deviation);
  with_real(tensor, [&]<class Real>(Real) {
    Real* to = tensor.data_ptr<Real>();
    for (std::int64_t i = 0; i < tensor.numel(); ++i) to[i] = static_cast<Real>(normal(random));
  });
}

}  // namespace

NanoNetwork::NanoNetwork(const lm::LlamaShape& shape, at::ScalarType type, std::uint64_t seed)
    : shape_(shape) {
  CHECK(shape.width % shape.heads == 0 && shape.head_width() % 2 == 0,
        "heads divide the width into even parts");
  parameters_ = at::zeros({parameter_count()}, type);
  gradient_ = at::zeros({parameter_count()}, type);
  turns_ = turns_of(shape, type);
  std::mt19937_64 random(seed);
  const Weights all = weights(parameters_);
  // Residual branches start small, as in GPT-2, so that the depth does not blow the sum up.
  const double deviation = 0.02 * std::sqrt(768.0 / shape.width) / 1.2;
  const double branch = deviation / std::sqrt(2.0 * shape.layers);
  fill_normal(all.embedding, deviation, random);
  for (const Block& block : all.blocks) {
    fill_normal(block.qkv, deviation, random);
    fill_normal(block.output, branch, random);
    fill_normal(block.gate_up, deviation, random);
    fill_normal(block.down, branch, random);
    block.attention_norm.fill_(1);
    block.ffn_norm.fill_(1);
  }
  all.norm.fill_(1);
}

std::int64_t NanoNetwork::parameter_count() const {
  const std::int64_t d = shape_.width;
  const std::int64_t f = shape_.feed_forward;
  return shape_.vocabulary * d + shape_.layers * (2 * d + 4 * d * d + 3 * d * f) + d;
}

NanoNetwork::Weights NanoNetwork::weights(const at::Tensor& flat) const {
  const std::int64_t d = shape_.width;
  const std::int64_t f = shape_.feed_forward;
  std::int64_t at = 0;
  const auto take = [&](std::int64_t rows, std::int64_t columns) {
    at::Tensor part = flat.narrow(0, at, rows * columns);
    at += rows * columns;
    return rows == 1 ? part : part.view({rows, columns});
  };
  Weights all;
  all.embedding = take(shape_.vocabulary, d);
  for (std::uint32_t i = 0; i < shape_.layers; ++i) {
    Block block;
    block.attention_norm = take(1, d);
    block.qkv = take(3 * d, d);
    block.output = take(d, d);
    block.ffn_norm = take(1, d);
    block.gate_up = take(2 * f, d);
    block.down = take(d, f);
    all.blocks.push_back(std::move(block));
  }
  all.norm = take(1, d);
  CHECK(at == flat.numel(), "the parts fill the buffer");
  return all;
}

at::Tensor NanoNetwork::forward_layer(const Batch& batch, const Block& block, const at::Tensor& x,
                                      bool answers_only, LayerPass& pass) const {
  pass.answers_only = answers_only;
  pass.x = x;
  std::tie(pass.normed, pass.scale) =
      normed(x, block.attention_norm, static_cast<double>(shape_.norm_epsilon));
  pass.qkv = at::mm(pass.normed, block.qkv.t());
  rotate_heads(pass.qkv, turns_, shape_, batch.length, 1);
  const Heads heads = heads_of(pass.qkv, batch, shape_);
  std::tie(pass.attended, pass.log_sums) = at::_scaled_dot_product_flash_attention_for_cpu(
      heads.query, heads.key, heads.value, 0.0, /*is_causal=*/true);
  pass.mixed = pass.attended.transpose(1, 2).reshape({x.size(0), x.size(1)});
  if (answers_only) pass.mixed = pass.mixed.index_select(0, batch.rows);
  const at::Tensor carried = answers_only ? x.index_select(0, batch.rows) : x;
  pass.middle = at::addmm(carried, pass.mixed, block.output.t());
  std::tie(pass.ffn_normed, pass.ffn_scale) =
      normed(pass.middle, block.ffn_norm, static_cast<double>(shape_.norm_epsilon));
  pass.gate_up = at::mm(pass.ffn_normed, block.gate_up.t());
  pass.sigmoid = at::sigmoid(pass.gate_up.narrow(1, 0, shape_.feed_forward)).contiguous();
  pass.activated = at::empty_like(pass.sigmoid);
  with_real(x, [&]<class Real>(Real) {
    swiglu<Real>(pass.gate_up.size(0), shape_.feed_forward, pass.gate_up.const_data_ptr<Real>(),
                 pass.sigmoid.const_data_ptr<Real>(), pass.activated.data_ptr<Real>());
  });
  return at::addmm(pass.middle, pass.activated, block.down.t());
}

NanoNetwork::Pass NanoNetwork::forward(const Batch& batch) const {
  CHECK(batch.length <= shape_.context, "a batch fits into the context");
  const Weights all = weights(parameters_);
  Pass pass;
  pass.layers.resize(shape_.layers);
  at::Tensor x = all.embedding.index_select(0, batch.tokens);
  for (std::size_t i = 0; i < all.blocks.size(); ++i) {
    const bool last = i + 1 == all.blocks.size();
    x = forward_layer(batch, all.blocks[i], x, last, pass.layers[i]);
  }
  pass.x = x;
  std::tie(pass.normed, pass.scale) = normed(x, all.norm, static_cast<double>(shape_.norm_epsilon));
  pass.logits = at::mm(pass.normed, all.embedding.t());
  return pass;
}

at::Tensor NanoNetwork::logits(const Batch& batch) const { return forward(batch).logits; }

at::Tensor NanoNetwork::backward_layer(const Batch& batch, const Block& block,
                                       const Block& gradient, const LayerPass& pass,
                                       const at::Tensor& dout) const {
  // Feed-forward part.
  at::mm_out(const_cast<at::Tensor&>(gradient.down), dout.t(), pass.activated);
  const at::Tensor dactivated = at::mm(dout, block.down);
  at::Tensor dgate_up = at::empty_like(pass.gate_up);
  with_real(dout, [&]<class Real>(Real) {
    swiglu_backward<Real>(dout.size(0), shape_.feed_forward, pass.gate_up.const_data_ptr<Real>(),
                          pass.sigmoid.const_data_ptr<Real>(), dactivated.const_data_ptr<Real>(),
                          dgate_up.data_ptr<Real>());
  });
  at::mm_out(const_cast<at::Tensor&>(gradient.gate_up), dgate_up.t(), pass.ffn_normed);
  at::Tensor dmiddle = dout.clone();
  normed_backward(at::mm(dgate_up, block.gate_up),
                  {.x = pass.middle, .gain = block.ffn_norm, .scale = pass.ffn_scale}, dmiddle,
                  gradient.ffn_norm);
  // Attention part.
  at::mm_out(const_cast<at::Tensor&>(gradient.output), dmiddle.t(), pass.mixed);
  at::Tensor dmixed = at::mm(dmiddle, block.output);
  at::Tensor dx = dmiddle;
  if (pass.answers_only) {
    const auto all_rows = [&](const at::Tensor& some) {
      return at::zeros_like(pass.x).index_copy_(0, batch.rows, some);
    };
    dmixed = all_rows(dmixed);
    dx = all_rows(dmiddle);
  }
  const Heads heads = heads_of(pass.qkv, batch, shape_);
  const at::Tensor dattended =
      dmixed.view({batch.texts, batch.length, shape_.heads, shape_.head_width()}).transpose(1, 2);
  const auto [dquery, dkey, dvalue] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
      dattended, heads.query, heads.key, heads.value, pass.attended, pass.log_sums, 0.0,
      /*is_causal=*/true);
  at::Tensor dqkv = at::empty_like(pass.qkv);
  const Heads to = heads_of(dqkv, batch, shape_);
  to.query.copy_(dquery);
  to.key.copy_(dkey);
  to.value.copy_(dvalue);
  rotate_heads(dqkv, turns_, shape_, batch.length, -1);
  at::mm_out(const_cast<at::Tensor&>(gradient.qkv), dqkv.t(), pass.normed);
  normed_backward(at::mm(dqkv, block.qkv),
                  {.x = pass.x, .gain = block.attention_norm, .scale = pass.scale}, dx,
                  gradient.attention_norm);
  return dx;
}

double NanoNetwork::loss_and_gradient(const Batch& batch) {
  const Pass pass = forward(batch);
  const Weights all = weights(parameters_);
  Weights gradients = weights(gradient_);
  const at::Tensor targets = batch.targets.unsqueeze(1);
  const at::Tensor weights_of_rows = (batch.weights / batch.weights.sum()).unsqueeze(1);
  const at::Tensor log_probabilities = at::log_softmax(pass.logits, 1);
  const double loss =
      -(log_probabilities.gather(1, targets) * weights_of_rows).sum().item<double>();
  at::Tensor dlogits = log_probabilities.exp_();
  dlogits.scatter_add_(1, targets, at::full_like(weights_of_rows, -1));
  dlogits.mul_(weights_of_rows);

  at::mm_out(gradients.embedding, dlogits.t(), pass.normed);
  at::Tensor dx = at::zeros_like(pass.x);
  normed_backward(at::mm(dlogits, all.embedding),
                  {.x = pass.x, .gain = all.norm, .scale = pass.scale}, dx, gradients.norm);
  for (std::size_t i = all.blocks.size(); i-- > 0;) {
    dx = backward_layer(batch, all.blocks[i], gradients.blocks[i], pass.layers[i], dx);
  }
  gradients.embedding.index_add_(0, batch.tokens, dx);
  return loss;
}

NanoNetwork::Parts NanoNetwork::split(const at::Tensor& flat) const {
  const Weights all = weights(flat);
  Parts parts{.matrices = {all.embedding}, .gains = {all.norm}};
  for (const Block& block : all.blocks) {
    for (const auto& matrix : {block.qkv, block.output, block.gate_up, block.down}) {
      parts.matrices.push_back(matrix);
    }
    parts.gains.push_back(block.attention_norm);
    parts.gains.push_back(block.ffn_norm);
  }
  return parts;
}

std::vector<lm::NamedTensor> NanoNetwork::tensors() const {
  std::vector<lm::NamedTensor> named;
  const auto add = [&](std::string name, const at::Tensor& tensor) {
    const bool matrix = tensor.dim() == 2;
    named.push_back(
        {.name = std::move(name),
         .rows = matrix ? tensor.size(0) : 1,
         .columns = tensor.size(matrix ? 1 : 0),
         .values = {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())}});
  };
  const Weights all = weights(parameters_);
  const std::int64_t d = shape_.width;
  const std::int64_t f = shape_.feed_forward;
  add("token_embd.weight", all.embedding);
  for (std::size_t i = 0; i < all.blocks.size(); ++i) {
    const Block& block = all.blocks[i];
    const std::string prefix = "blk." + std::to_string(i) + ".";
    add(prefix + "attn_norm.weight", block.attention_norm);
    add(prefix + "attn_q.weight", block.qkv.narrow(0, 0, d));
    add(prefix + "attn_k.weight", block.qkv.narrow(0, d, d));
    add(prefix + "attn_v.weight", block.qkv.narrow(0, 2 * d, d));
    add(prefix + "attn_output.weight", block.output);
    add(prefix + "ffn_norm.weight", block.ffn_norm);
    add(prefix + "ffn_gate.weight", block.gate_up.narrow(0, 0, f));
    add(prefix + "ffn_up.weight", block.gate_up.narrow(0, f, f));
    add(prefix + "ffn_down.weight", block.down);
  }
  add("output_norm.weight", all.norm);
  return named;
}

}  // namespace understudy::s5
