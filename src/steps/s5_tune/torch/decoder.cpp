#include "steps/s5_tune/torch/decoder.hpp"

#include <ATen/ops/arange.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "steps/s5_tune/torch/decoder_kernels.hpp"

namespace understudy::s5 {

namespace {

constexpr std::int64_t head_rows_at_once = 512;

struct Normed {
  at::Tensor out, scale;
};

Normed norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
  const std::int64_t width = gain.numel();
  Normed normed{.out = at::empty(x.sizes(), x.options()),
                .scale = at::empty({x.numel() / width}, gain.options())};
  with_value_of(x.scalar_type(), [&]<class Value>(Value) {
    norm_rows<Value>({.rows = x.numel() / width, .width = width}, x.const_data_ptr<Value>(),
                     gain.const_data_ptr<SumOf<Value>>(), epsilon, normed.out.data_ptr<Value>(),
                     normed.scale.data_ptr<SumOf<Value>>());
  });
  return normed;
}

struct NormPass {
  const at::Tensor& x;
  const at::Tensor& gain;
  const at::Tensor& scale;
};

// The gradient of x, plus `carried` where it is defined.
at::Tensor norm_backward(const at::Tensor& dout, const NormPass& pass, const at::Tensor& carried) {
  const std::int64_t width = pass.gain.numel();
  at::Tensor dx = at::empty_like(pass.x);
  with_value_of(dout.scalar_type(), [&]<class Value>(Value) {
    norm_rows_backward<Value>(
        {.rows = dout.numel() / width, .width = width}, dout.const_data_ptr<Value>(),
        pass.x.const_data_ptr<Value>(), pass.gain.const_data_ptr<SumOf<Value>>(),
        pass.scale.const_data_ptr<SumOf<Value>>(),
        carried.defined() ? carried.const_data_ptr<Value>() : nullptr, dx.data_ptr<Value>());
  });
  return dx;
}

void turn(const at::Tensor& rows, const at::Tensor& turns, const Pack& pack,
          const DecoderPlan& plan, int direction) {
  with_value_of(rows.scalar_type(), [&]<class Value>(Value) {
    turn_heads<Value>({.rows = rows.size(0),
                       .stride = rows.stride(0),
                       .heads = rows.size(1) / plan.head_width,
                       .head_width = plan.head_width,
                       .rope_width = plan.rope_width,
                       .pairs = plan.rope_pairs,
                       .positions = pack.positions.const_data_ptr<std::int32_t>(),
                       .turns = turns.const_data_ptr<SumOf<Value>>(),
                       .direction = static_cast<SumOf<Value>>(direction)},
                      rows.data_ptr<Value>());
  });
}

// Gate and up lie side by side in one tensor, or each in its own.
struct GateUp {
  at::Tensor gate, up;
};

at::Tensor activate(const GateUp& from, Gate gate) {
  at::Tensor out = at::empty(from.gate.sizes(), from.gate.options());
  with_value_of(out.scalar_type(), [&]<class Value>(Value) {
    gate_rows<Value>({.shape = {.rows = out.size(0), .width = out.size(1)},
                      .stride = from.gate.stride(0),
                      .gate = gate},
                     from.gate.const_data_ptr<Value>(), from.up.const_data_ptr<Value>(),
                     out.data_ptr<Value>());
  });
  return out;
}

void activate_backward(const at::Tensor& dout, const GateUp& from, Gate gate, const GateUp& to) {
  with_value_of(dout.scalar_type(), [&]<class Value>(Value) {
    gate_rows_backward<Value>({.shape = {.rows = dout.size(0), .width = dout.size(1)},
                               .stride = from.gate.stride(0),
                               .gate = gate},
                              from.gate.const_data_ptr<Value>(), from.up.const_data_ptr<Value>(),
                              dout.const_data_ptr<Value>(), to.gate.data_ptr<Value>(),
                              to.up.data_ptr<Value>());
  });
}

// Sums of squares leave f32 above this; trained models stay below 1e5.
constexpr double value_max = 1e15;

// The kernels take their input to be finite; what has diverged shows here, as sums carry it along.
bool is_sound(const at::Tensor& x) { return x.abs().max().item<double>() < value_max; }

PackLoss diverged(const Pack& pack) {
  return {.loss = std::numeric_limits<double>::quiet_NaN(),
          .right = std::vector<bool>(static_cast<std::size_t>(pack.rows.numel()), false)};
}

std::uint64_t mix(std::uint64_t seed, std::uint64_t with) {
  std::uint64_t mixed = (seed ^ (with + 1) * 0x9E3779B97F4A7C15ULL) * 0xBF58476D1CE4E5B9ULL;
  mixed ^= mixed >> 29U;
  return mixed | 1U;  // 0 means no dropout
}

}  // namespace

struct Decoder::Layer {
  LayerPlan plan;
  std::int64_t index = 0;
  at::Tensor attention_norm = {}, ffn_norm = {}, query_norm = {}, key_norm = {};
  at::Tensor turns = {};                    // context x rope_width: cos and sin
  std::vector<AdaptedLinear> linears = {};  // in the plan's order
};

struct Decoder::LayerPass {
  at::Tensor x, scale, normed;           // of the attention part
  at::Tensor qkv;                        // fused families only: what q, k, v are views of
  AttentionInput heads;                  // normed and turned
  at::Tensor query_before, query_scale;  // of the norms on q and k
  at::Tensor key_before, key_scale;
  AttentionPass attention;
  at::Tensor middle, ffn_scale, ffn_normed;  // of the feed-forward part
  at::Tensor gate_up;                        // fused families only
  GateUp gates;
  std::vector<AdaptedLinear::Pass> linears;
};

namespace {

// Where the linear layers lie in a plan's order.
struct Places {
  std::size_t qkv, output, gate_up, down;
};
Places places_of(const DecoderPlan& plan) {
  if (plan.fused_qkv) return {.qkv = 0, .output = 1, .gate_up = 2, .down = 3};
  return {.qkv = 0, .output = 3, .gate_up = 4, .down = 6};
}

AttentionInput split_heads(const at::Tensor& qkv, const DecoderPlan& plan) {
  const std::int64_t q = plan.query_width();
  const std::int64_t kv = plan.kv_width();
  return {.query = qkv.narrow(1, 0, q),
          .key = qkv.narrow(1, q, kv),
          .value = qkv.narrow(1, q + kv, kv)};
}

GateUp split_gates(const at::Tensor& both) {
  const std::int64_t width = both.size(1) / 2;
  return {.gate = both.narrow(1, 0, width), .up = both.narrow(1, width, width)};
}

AttentionShape attention_shape(const DecoderPlan& plan, const LayerPlan& layer) {
  return {.heads = plan.heads,
          .kv_heads = plan.kv_heads,
          .head_width = plan.head_width,
          .window = layer.window,
          .scale = plan.attention_scale};
}

}  // namespace

Decoder::Decoder(const DecoderPlan& plan, BaseWeights& weights, const Adapter* adapter)
    : plan_(plan),
      weights_(weights),
      adapter_(adapter),
      norm_(weights.vector("output_norm.weight")) {
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const std::string block = "blk." + std::to_string(i) + ".";
    const auto index = static_cast<std::int64_t>(i);
    Layer layer{.plan = plan.layers[i],
                .index = index,
                .attention_norm = weights.vector(block + "attn_norm.weight"),
                .ffn_norm = weights.vector(block + "ffn_norm.weight")};
    if (plan.query_key_norms) {
      layer.query_norm = weights.vector(block + "attn_q_norm.weight");
      layer.key_norm = weights.vector(block + "attn_k_norm.weight");
    }
    layer.turns = turns_for(layer.plan);
    for (const LinearModule& linear : plan.modules) {
      layer.linears.emplace_back(weights, block + linear.gguf, adapter,
                                 adapter == nullptr ? nullptr : adapter->find(index, linear.gguf));
    }
    layers_.push_back(std::move(layer));
  }
}

Decoder::~Decoder() = default;

at::Tensor Decoder::turns_for(const LayerPlan& layer) {
  for (const Layer& other : layers_) {
    if (other.plan.rope_base == layer.rope_base && other.plan.rope_scale == layer.rope_scale) {
      return other.turns;
    }
  }
  const std::int64_t half = plan_.rope_width / 2;
  std::vector<float> factors(static_cast<std::size_t>(half), 1);
  if (const auto* stored = weights_.file().find("rope_freqs.weight")) factors = lm::expand(*stored);
  at::Tensor turns = at::empty({plan_.context, half, 2}, at::kDouble);
  double* to = turns.data_ptr<double>();
  for (std::int64_t position = 0; position < plan_.context; ++position) {
    for (std::int64_t i = 0; i < half; ++i) {
      const double turned = static_cast<double>(position) * layer.rope_scale /
                            static_cast<double>(factors[static_cast<std::size_t>(i)]);
      const double angle =
          turned * std::pow(layer.rope_base,
                            -2.0 * static_cast<double>(i) / static_cast<double>(plan_.rope_width));
      *to++ = std::cos(angle);
      *to++ = std::sin(angle);
    }
  }
  return turns.to(sum_type(weights_.type()));
}

const lm::StoredTensor& Decoder::head() const {
  return *weights_.file().find(plan_.tied ? "token_embd.weight" : "output.weight");
}

at::Tensor Decoder::embed(const Pack& pack) {
  at::Tensor x = weights_.rows(*weights_.file().find("token_embd.weight"), pack.tokens);
  if (plan_.embedding_scale != 1) x.mul_(plan_.embedding_scale);
  return x;
}

at::Tensor Decoder::forward_layer(const Pack& pack, const Layer& layer, at::Tensor x,
                                  LayerPass& pass) {
  const Places at = places_of(plan_);
  const auto linear = [&](std::size_t i, const at::Tensor& input) {
    return layer.linears[i].forward(input, pass.linears[i]);
  };
  Normed normed = norm(x, layer.attention_norm, plan_.norm_epsilon);
  pass.x = std::move(x);
  pass.normed = std::move(normed.out);
  pass.scale = std::move(normed.scale);
  if (plan_.fused_qkv) {
    pass.qkv = linear(at.qkv, pass.normed);
    pass.heads = split_heads(pass.qkv, plan_);
  } else {
    pass.heads = {.query = linear(at.qkv, pass.normed),
                  .key = linear(at.qkv + 1, pass.normed),
                  .value = linear(at.qkv + 2, pass.normed)};
  }
  if (plan_.query_key_norms) {
    pass.query_before = pass.heads.query;
    pass.key_before = pass.heads.key;
    Normed query = norm(pass.query_before, layer.query_norm, plan_.norm_epsilon);
    Normed key = norm(pass.key_before, layer.key_norm, plan_.norm_epsilon);
    pass.heads.query = std::move(query.out);
    pass.heads.key = std::move(key.out);
    pass.query_scale = std::move(query.scale);
    pass.key_scale = std::move(key.scale);
  }
  turn(pass.heads.query, layer.turns, pack, plan_, 1);
  turn(pass.heads.key, layer.turns, pack, plan_, 1);
  pass.attention = attend(pass.heads, pack.begins, attention_shape(plan_, layer.plan));

  at::Tensor middle = linear(at.output, pass.attention.out);
  if (plan_.residual_scale != 1) middle.mul_(plan_.residual_scale);
  pass.middle = middle.add_(pass.x);
  Normed ffn = norm(pass.middle, layer.ffn_norm, plan_.norm_epsilon);
  pass.ffn_normed = std::move(ffn.out);
  pass.ffn_scale = std::move(ffn.scale);
  if (plan_.fused_gate_up) {
    pass.gate_up = linear(at.gate_up, pass.ffn_normed);
    pass.gates = split_gates(pass.gate_up);
  } else {
    pass.gates = {.gate = linear(at.gate_up, pass.ffn_normed),
                  .up = linear(at.gate_up + 1, pass.ffn_normed)};
  }
  at::Tensor out = linear(at.down, activate(pass.gates, plan_.gate));
  if (plan_.residual_scale != 1) out.mul_(plan_.residual_scale);
  return out.add_(pass.middle);
}

at::Tensor Decoder::backward_layer(const Pack& pack, const Layer& layer, const LayerPass& pass,
                                   const at::Tensor& dout) {
  const Places at = places_of(plan_);
  const auto linear = [&](std::size_t i, const at::Tensor& dy, const at::Tensor& x,
                          at::Tensor& dx) {
    layer.linears[i].backward(dy, x, pass.linears[i], dx);
  };
  const auto branch = [&](const at::Tensor& gradient) {
    return plan_.residual_scale == 1 ? gradient : gradient.mul(plan_.residual_scale);
  };
  // Feed-forward part.
  at::Tensor dactivated;
  linear(at.down, branch(dout), activate(pass.gates, plan_.gate), dactivated);
  at::Tensor dffn;
  if (plan_.fused_gate_up) {
    const at::Tensor dgate_up = at::empty_like(pass.gate_up);
    activate_backward(dactivated, pass.gates, plan_.gate, split_gates(dgate_up));
    linear(at.gate_up, dgate_up, pass.ffn_normed, dffn);
  } else {
    const GateUp dgates{.gate = at::empty_like(pass.gates.gate),
                        .up = at::empty_like(pass.gates.up)};
    activate_backward(dactivated, pass.gates, plan_.gate, dgates);
    linear(at.gate_up, dgates.gate, pass.ffn_normed, dffn);
    linear(at.gate_up + 1, dgates.up, pass.ffn_normed, dffn);
  }
  const at::Tensor dmiddle = norm_backward(
      dffn, {.x = pass.middle, .gain = layer.ffn_norm, .scale = pass.ffn_scale}, dout);
  // Attention part.
  at::Tensor dattended;
  linear(at.output, branch(dmiddle), pass.attention.out, dattended);
  at::Tensor dqkv;
  AttentionInput dheads;
  if (plan_.fused_qkv) {
    dqkv = at::empty_like(pass.qkv);
    dheads = split_heads(dqkv, plan_);
  } else {
    dheads = {.query = at::empty_like(pass.heads.query),
              .key = at::empty_like(pass.heads.key),
              .value = at::empty_like(pass.heads.value)};
  }
  attend_backward(dattended, pass.heads, pass.attention, pack.begins,
                  attention_shape(plan_, layer.plan), dheads);
  turn(dheads.query, layer.turns, pack, plan_, -1);
  turn(dheads.key, layer.turns, pack, plan_, -1);
  if (plan_.query_key_norms) {
    dheads.query = norm_backward(
        dheads.query, {.x = pass.query_before, .gain = layer.query_norm, .scale = pass.query_scale},
        {});
    dheads.key = norm_backward(
        dheads.key, {.x = pass.key_before, .gain = layer.key_norm, .scale = pass.key_scale}, {});
  }
  at::Tensor dnormed;
  if (plan_.fused_qkv) {
    linear(at.qkv, dqkv, pass.normed, dnormed);
  } else {
    linear(at.qkv, dheads.query, pass.normed, dnormed);
    linear(at.qkv + 1, dheads.key, pass.normed, dnormed);
    linear(at.qkv + 2, dheads.value, pass.normed, dnormed);
  }
  return norm_backward(dnormed, {.x = pass.x, .gain = layer.attention_norm, .scale = pass.scale},
                       dmiddle);
}

at::Tensor Decoder::run(const Pack& pack, std::vector<LayerPass>* passes, std::uint64_t seed) {
  CHECK(pack.tokens.numel() == pack.begins.back(), "the texts fill the pack");
  at::Tensor x = embed(pack);
  const bool dropping = adapter_ != nullptr && adapter_->options().dropout > 0 && seed != 0;
  for (const Layer& layer : layers_) {
    LayerPass pass;
    pass.linears.resize(plan_.modules.size());
    for (std::size_t i = 0; i < pass.linears.size() && dropping; ++i) {
      const auto place = static_cast<std::uint64_t>(layer.index) * pass.linears.size() + i;
      pass.linears[i].dropout_seed = mix(seed, place);
    }
    x = forward_layer(pack, layer, std::move(x), pass);
    if (passes != nullptr) passes->push_back(std::move(pass));
  }
  return x;
}

at::Tensor Decoder::logits(const Pack& pack) {
  const at::Tensor x = run(pack, nullptr, 0).index_select(0, pack.rows);
  const Normed normed = norm(x, norm_, plan_.norm_epsilon);
  return at::mm(normed.out, weights_.matrix(head()).t())
      .to(sum_type(weights_.type()))
      .mul_(plan_.logit_scale);
}

PackLoss Decoder::head_loss(const Pack& pack, const at::Tensor& hidden, at::Tensor* dhidden) {
  const at::Tensor table = weights_.matrix(head());
  std::vector<RowLoss> losses(static_cast<std::size_t>(hidden.size(0)));
  if (dhidden != nullptr) *dhidden = at::empty_like(hidden);
  for (std::int64_t begin = 0; begin < hidden.size(0); begin += head_rows_at_once) {
    const std::int64_t count = std::min(head_rows_at_once, hidden.size(0) - begin);
    const at::Tensor logits = at::mm(hidden.narrow(0, begin, count), table.t());
    with_value_of(logits.scalar_type(), [&]<class Value>(Value) {
      cross_entropy_rows<Value>({.rows = count, .width = table.size(0)}, logits.data_ptr<Value>(),
                                pack.targets.const_data_ptr<std::int64_t>() + begin,
                                pack.weights.const_data_ptr<float>() + begin, plan_.logit_scale,
                                losses.data() + begin);
    });
    if (dhidden != nullptr) dhidden->narrow(0, begin, count).copy_(at::mm(logits, table));
  }
  PackLoss sum;
  const float* weights = pack.weights.const_data_ptr<float>();
  for (std::size_t i = 0; i < losses.size(); ++i) {
    sum.loss += static_cast<double>(weights[i]) * losses[i].loss;
    sum.right.push_back(losses[i].right);
  }
  return sum;
}

PackLoss Decoder::loss(const Pack& pack) {
  const at::Tensor x = run(pack, nullptr, 0).index_select(0, pack.rows);
  if (!is_sound(x)) return diverged(pack);
  return head_loss(pack, norm(x, norm_, plan_.norm_epsilon).out, nullptr);
}

PackLoss Decoder::loss_and_gradients(const Pack& pack, std::uint64_t seed) {
  std::vector<LayerPass> passes;
  const at::Tensor all = run(pack, &passes, seed);
  const at::Tensor x = all.index_select(0, pack.rows);
  if (!is_sound(x)) return diverged(pack);
  const Normed normed = norm(x, norm_, plan_.norm_epsilon);
  at::Tensor dnormed;
  PackLoss loss = head_loss(pack, normed.out, &dnormed);
  const at::Tensor dx = norm_backward(dnormed, {.x = x, .gain = norm_, .scale = normed.scale}, {});
  at::Tensor dout = at::zeros_like(all).index_copy_(0, pack.rows, dx);
  for (std::size_t i = layers_.size(); i-- > 0;) {
    dout = backward_layer(pack, layers_[i], passes[i], dout);
    passes.pop_back();
  }
  return loss;
}

}  // namespace understudy::s5
