#include "steps/s5_tune/torch/decoder.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace understudy::s5 {

namespace {

constexpr std::int64_t head_rows_at_once = 512;
// Of a head that must be expanded: whole, it would be half of the memory that a 4-bit base takes.
constexpr std::int64_t head_panel_rows = 4096;

// Sums of squares leave f32 above this; trained models stay below 1e5.
constexpr double value_max = 1e15;

// The kernels take their input to be finite; what has diverged shows here, as sums carry it along.
bool is_sound(const at::Tensor& x) { return x.abs().max().item<double>() < value_max; }

PackLoss diverged(const Pack& pack) {
  return {.loss = std::numeric_limits<double>::quiet_NaN(),
          .right = std::vector<bool>(static_cast<std::size_t>(pack.rows.numel()), false)};
}

Norm::Options norm_options(const DecoderPlan& plan) {
  return {.kind = plan.norms == Norms::layer ? NormKind::layer : NormKind::root_mean_square,
          .epsilon = plan.norm_epsilon};
}

// The output head where it lies or is small, or off the CPU, where many small panels would wait for
// each other; undefined where it is expanded a panel at a time.
at::Tensor whole_head(BaseWeights& weights, const lm::StoredTensor& head) {
  const bool whole = weights.lies_there(head) || head.rows <= head_panel_rows;
  return whole || weights.computing().composed() ? weights.matrix(head) : at::Tensor();
}

template <class Use>  // of (panel, its first row)
void for_panels(const BaseWeights& weights, const lm::StoredTensor& head, Use use) {
  for (std::int64_t first = 0; first < head.rows; first += head_panel_rows) {
    const std::int64_t end = std::min(first + head_panel_rows, head.rows);
    use(weights.rows(head, at::arange(first, end, at::TensorOptions(at::kLong))), first);
  }
}

// The gradient of what went into the head, given that of the logits.
at::Tensor through_head(const at::Tensor& dlogits, const at::Tensor& table,
                        const BaseWeights& weights, const lm::StoredTensor& head) {
  if (table.defined()) return product(dlogits, table);
  at::Tensor dhidden = at::zeros({dlogits.size(0), head.columns}, dlogits.options());
  for_panels(weights, head, [&](const at::Tensor& panel, std::int64_t first) {
    put_product(dhidden, dlogits.narrow(1, first, panel.size(0)), panel, {.added = true});
  });
  return dhidden;
}

}  // namespace

// What is added to the stream at one place: one branch behind a norm, or two that share it.
struct Decoder::Step {
  std::int64_t layer = 0;
  Norm norm, post;  // post may be undefined
  std::vector<std::unique_ptr<Branch>> branches;
};

struct Decoder::StepPass {
  std::uint64_t seed = 0;
  at::Tensor x = {};
  at::Tensor normed = {};  // undefined: all but x is to be computed again
  Norm::Pass norm = {};
  std::vector<std::unique_ptr<BranchPass>> branches = {};
  at::Tensor sum = {};  // before the post-norm
  Norm::Pass post = {};
};

Decoder::Decoder(const DecoderPlan& plan, BaseWeights& weights, const Adapter* adapter,
                 Activations activations, const Decoder* like)
    : plan_(plan),
      weights_(weights),
      adapter_(adapter),
      operations_(weights.computing()),
      activations_(activations),
      norm_(weights, plan.output_norm, norm_options(plan)),
      packed_head_(weights.packed(head())),
      head_bias_(weights.vector("output.bias")) {
  if (like != nullptr) turns_ = like->turns_;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) add_steps(static_cast<std::int64_t>(i));
  if (adapter == nullptr || !adapter->options().magnitudes) return;
  for (const AdapterModule& module : adapter->modules()) {
    if (module.magnitude.abs().max().item<double>() > 0) continue;
    const AdaptedLinear linear(weights,
                               "blk." + std::to_string(module.layer) + "." + module.linear.gguf,
                               adapter, &module);
    module.magnitude.copy_(linear.row_lengths());
  }
}

Decoder::~Decoder() = default;

void Decoder::add_steps(std::int64_t layer) {
  const LayerPlan& layer_plan = plan_.layers[static_cast<std::size_t>(layer)];
  const BranchParts parts{.plan = plan_, .layer = layer, .weights = weights_, .adapter = adapter_};
  const auto add = [&](const char* norm, const char* post) -> Step& {
    Step& step = steps_.emplace_back();
    step.layer = layer;
    step.norm = Norm(weights_, parts.name(norm), norm_options(plan_));
    if (plan_.post_norms) step.post = Norm(weights_, parts.name(post), norm_options(plan_));
    return step;
  };
  const auto attention = [&] { return make_attention(parts, turns_for(layer_plan)); };
  Step& first = add("attn_norm", "post_attention_norm");
  switch (layer_plan.mixer) {
    case Mixer::attention_then_feed_forward:
      first.branches.push_back(attention());
      add("ffn_norm", "post_ffw_norm").branches.push_back(make_feed_forward(parts));
      break;
    case Mixer::short_convolution_then_feed_forward:
      first.branches.push_back(make_short_convolution(parts));
      add("ffn_norm", "post_ffw_norm").branches.push_back(make_feed_forward(parts));
      break;
    case Mixer::attention_and_state_space_then_feed_forward:
      first.branches.push_back(attention());
      first.branches.push_back(make_state_space(parts));
      add("ffn_norm", "post_ffw_norm").branches.push_back(make_feed_forward(parts));
      break;
    case Mixer::attention_and_feed_forward:
      first.branches.push_back(attention());
      first.branches.push_back(make_feed_forward(parts));
      break;
    case Mixer::attention: first.branches.push_back(attention()); break;
    case Mixer::feed_forward: first.branches.push_back(make_feed_forward(parts)); break;
    case Mixer::state_space: first.branches.push_back(make_state_space(parts)); break;
  }
}

at::Tensor Decoder::turns_for(const LayerPlan& layer) {
  for (const Turns& other : turns_) {
    if (other.layer.rope_base == layer.rope_base && other.layer.rope_scale == layer.rope_scale) {
      return other.values;
    }
  }
  const std::int64_t half = plan_.rope_width / 2;
  std::vector<float> factors(static_cast<std::size_t>(half), 1);
  if (const auto* stored = weights_.file().find(plan_.rope_factors)) factors = lm::expand(*stored);
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < half; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(plan_.rope_width);
    frequencies.push_back(std::pow(layer.rope_base, -2.0 * share));
  }
  at::Tensor turns = at::empty({plan_.context, half, 2}, at::kDouble);
  double* to = turns.data_ptr<double>();
  for (std::int64_t position = 0; position < plan_.context; ++position) {
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      const double angle = static_cast<double>(position) * layer.rope_scale /
                           static_cast<double>(factors[i]) * frequencies[i];
      *to++ = std::cos(angle) * plan_.rope_gain;
      *to++ = std::sin(angle) * plan_.rope_gain;
    }
  }
  turns_.push_back({.layer = layer, .values = turns.to(weights_.computing().sums())});
  return turns_.back().values;
}

const lm::StoredTensor& Decoder::head() const {
  return *weights_.file().find(plan_.tied ? "token_embd.weight" : "output.weight");
}

const Pack& Decoder::here(const Pack& pack, std::optional<Pack>& moved) const {
  const Computing& computing = weights_.computing();
  return computing.composed() ? moved.emplace(moved_to(pack, computing.device)) : pack;
}

at::Tensor Decoder::embed(const Pack& pack) {
  at::Tensor x = weights_.rows(*weights_.file().find("token_embd.weight"), pack.tokens);
  if (plan_.embedding_scale != 1) x.mul_(plan_.embedding_scale);
  return x;
}

void Decoder::add_embedding_gradients(const Pack& pack, const at::Tensor& dx) {
  const at::Tensor gradient = weights_.gradient("token_embd.weight");
  if (!gradient.defined()) return;
  gradient.index_add_(0, pack.tokens, dx.to(gradient.scalar_type()).mul(plan_.embedding_scale));
}

at::Tensor Decoder::forward_step(const Pack& pack, const Step& step, at::Tensor x,
                                 StepPass& pass) const {
  pass.x = std::move(x);
  pass.normed = step.norm.forward(pass.x, pass.norm);
  at::Tensor out;
  for (const auto& branch : step.branches) {
    at::Tensor added = branch->forward(pack, pass.normed, pass.seed, pass.branches.emplace_back());
    out = out.defined() ? out.add_(added) : std::move(added);
  }
  if (step.post.defined()) {
    pass.sum = std::move(out);
    out = step.post.forward(pass.sum, pass.post);
  }
  if (plan_.residual_scale != 1) out.mul_(plan_.residual_scale);
  return out.add_(pass.x);
}

at::Tensor Decoder::backward_step(const Pack& pack, const Step& step, const StepPass& pass,
                                  const at::Tensor& dout) const {
  if (!pass.normed.defined()) {
    StepPass again{.seed = pass.seed};
    forward_step(pack, step, pass.x, again);
    return backward_step(pack, step, again, dout);
  }
  at::Tensor dbranches = plan_.residual_scale == 1 ? dout : dout.mul(plan_.residual_scale);
  if (step.post.defined()) dbranches = step.post.backward(dbranches, pass.sum, pass.post, {});
  at::Tensor dnormed;
  for (std::size_t i = 0; i < step.branches.size(); ++i) {
    step.branches[i]->backward(pack, dbranches, pass.normed, *pass.branches[i], dnormed);
  }
  return step.norm.backward(dnormed, pass.x, pass.norm, dout);
}

at::Tensor Decoder::run(const Pack& pack, std::vector<StepPass>* passes, std::uint64_t seed) {
  CHECK(pack.tokens.numel() == pack.begins.back(), "the texts fill the pack");
  at::Tensor x = embed(pack);
  const bool dropping = adapter_ != nullptr && adapter_->options().dropout > 0 && seed != 0;
  for (const Step& step : steps_) {
    StepPass pass;
    if (dropping) pass.seed = mixed_seed(seed, static_cast<std::uint64_t>(step.layer));
    x = forward_step(pack, step, std::move(x), pass);
    if (passes == nullptr) continue;
    if (activations_ == Activations::recomputed) pass = {.seed = pass.seed, .x = pass.x};
    passes->push_back(std::move(pass));
  }
  return x;
}

at::Tensor Decoder::logits_of(const at::Tensor& hidden, const at::Tensor& table) const {
  at::Tensor logits;
  if (packed_head_ != nullptr) {
    logits = product(hidden, packed_head_->forward);
  } else if (table.defined()) {
    logits = product(hidden, table.t());
  } else {
    logits = at::empty({hidden.size(0), head().rows}, hidden.options());
    for_panels(weights_, head(), [&](const at::Tensor& panel, std::int64_t first) {
      put_product(logits.narrow(1, first, panel.size(0)), hidden, panel.t());
    });
  }
  if (head_bias_.defined()) logits.add_(head_bias_);
  return logits;
}

at::Tensor Decoder::logits(const Pack& given) {
  std::optional<Pack> moved;
  const Pack& pack = here(given, moved);
  const at::Tensor x = run(pack, nullptr, 0).index_select(0, pack.rows);
  Norm::Pass pass;
  at::Tensor logits = logits_of(norm_.forward(x, pass), whole_head(weights_, head()))
                          .to(sum_type(weights_.type()))
                          .mul_(plan_.logit_scale);
  if (plan_.logit_cap > 0) logits.div_(plan_.logit_cap).tanh_().mul_(plan_.logit_cap);
  return logits;
}

SoftTargets Decoder::likeliest(const Pack& given, std::int64_t k, double temperature) {
  std::optional<Pack> moved;
  const Pack& pack = here(given, moved);
  const at::Tensor x = run(pack, nullptr, 0).index_select(0, pack.rows);
  Norm::Pass pass;
  const at::Tensor hidden = norm_.forward(x, pass);
  const at::Tensor table = whole_head(weights_, head());
  const auto sums = sum_type(weights_.type());
  SoftTargets found{.ids = at::empty({x.size(0), k}, x.options().dtype(at::kLong)),
                    .probabilities = at::empty({x.size(0), k}, x.options().dtype(sums)),
                    .temperature = temperature};
  for (std::int64_t begin = 0; begin < hidden.size(0); begin += head_rows_at_once) {
    const std::int64_t count = std::min(head_rows_at_once, hidden.size(0) - begin);
    at::Tensor logits =
        logits_of(hidden.narrow(0, begin, count), table).to(sums).mul_(plan_.logit_scale);
    if (plan_.logit_cap > 0) logits.div_(plan_.logit_cap).tanh_().mul_(plan_.logit_cap);
    const auto [values, ids] = logits.topk(k, 1);
    found.ids.narrow(0, begin, count).copy_(ids);
    found.probabilities.narrow(0, begin, count).copy_(at::softmax(values.div(temperature), 1));
  }
  return found;
}

namespace {

// Of some rows: what soft targets add to loss and gradient. Logits as the model gives them, capped.
struct SoftPart {
  at::Tensor gradient;  // of the logits, without weights
  at::Tensor nats;      // of each row
};
SoftPart soft_part(const SoftTargets& soft, const at::Tensor& logits, double scale,
                   std::int64_t begin) {
  const at::Tensor ids = soft.ids.narrow(0, begin, logits.size(0));
  const at::Tensor wanted = soft.probabilities.narrow(0, begin, logits.size(0));
  const double t = soft.temperature;
  const at::Tensor logs = at::log_softmax(logits.to(wanted.scalar_type()).mul(scale / t), 1);
  const at::Tensor nats =
      wanted.mul(wanted.clamp_min(1e-30).log().sub_(logs.gather(1, ids))).sum(1).mul_(t * t);
  at::Tensor gradient = logs.exp();
  gradient.scatter_add_(1, ids, wanted.neg());
  return {.gradient = gradient.mul_(t * scale), .nats = nats};
}

// In the order of the rows, on the CPU.
PackLoss summed(const RowLosses& losses, const at::Tensor& of_rows) {
  const at::Tensor nats = losses.nats.cpu();
  const at::Tensor right = losses.right.cpu();
  const at::Tensor weights = of_rows.cpu();
  PackLoss sum;
  for (std::int64_t i = 0; i < nats.numel(); ++i) {
    sum.loss +=
        static_cast<double>(weights.const_data_ptr<float>()[i]) * nats.const_data_ptr<double>()[i];
    sum.right.push_back(right.const_data_ptr<bool>()[i]);
  }
  return sum;
}

}  // namespace

PackLoss Decoder::head_loss(const Pack& pack, const at::Tensor& hidden, at::Tensor* dhidden) {
  const at::Tensor table = whole_head(weights_, head());
  const at::Tensor table_gradient = weights_.gradient(head().name);
  const at::Tensor bias_gradient = weights_.gradient("output.bias");
  const at::TensorOptions there = at::TensorOptions(hidden.device());
  const RowLosses losses{.nats = at::empty({hidden.size(0)}, there.dtype(at::kDouble)),
                         .right = at::empty({hidden.size(0)}, there.dtype(at::kBool))};
  if (dhidden != nullptr) *dhidden = at::empty_like(hidden);
  for (std::int64_t begin = 0; begin < hidden.size(0); begin += head_rows_at_once) {
    const std::int64_t count = std::min(head_rows_at_once, hidden.size(0) - begin);
    const at::Tensor some = hidden.narrow(0, begin, count);
    const RowLosses some_losses = losses.narrow(begin, count);
    const at::Tensor some_weights = pack.weights.narrow(0, begin, count);
    const at::Tensor logits = logits_of(some, table);
    at::Tensor slopes;
    if (plan_.logit_cap > 0) slopes = operations_.cap_values(logits, plan_.logit_cap);
    const bool softly = dhidden != nullptr && pack.soft.has_value();
    SoftPart soft;
    if (softly) soft = soft_part(*pack.soft, logits, plan_.logit_scale, begin);
    operations_.cross_entropy(logits,
                              {.targets = pack.targets.narrow(0, begin, count),
                               .weights = some_weights,
                               .scale = plan_.logit_scale},
                              some_losses);
    if (dhidden == nullptr) continue;
    if (softly) {
      const double share = pack.soft->share;
      const at::Tensor weights = some_weights.to(soft.nats.scalar_type());
      logits.mul_(1 - share).add_(soft.gradient.mul_(weights.unsqueeze(1)).mul_(share));
      some_losses.nats.mul_(1 - share).add_(soft.nats.to(at::kDouble).mul(share));
    }
    if (slopes.defined()) logits.mul_(slopes);
    dhidden->narrow(0, begin, count)
        .copy_(packed_head_ != nullptr ? product(logits, packed_head_->back)
                                       : through_head(logits, table, weights_, head()));
    if (table_gradient.defined()) {
      put_product(table_gradient, logits.t(), some, {.added = true});
    }
    if (bias_gradient.defined()) {
      bias_gradient.view({logits.size(1)}).add_(logits.to(bias_gradient.scalar_type()).sum(0));
    }
  }
  return summed(losses, pack.weights);
}

PackLoss Decoder::loss(const Pack& given) {
  std::optional<Pack> moved;
  const Pack& pack = here(given, moved);
  const at::Tensor x = run(pack, nullptr, 0).index_select(0, pack.rows);
  if (!is_sound(x)) return diverged(pack);
  Norm::Pass pass;
  return head_loss(pack, norm_.forward(x, pass), nullptr);
}

PackLoss Decoder::loss_and_gradients(const Pack& given, std::uint64_t seed) {
  std::optional<Pack> moved;
  const Pack& pack = here(given, moved);
  std::vector<StepPass> passes;
  const at::Tensor all = run(pack, &passes, seed);
  const at::Tensor x = all.index_select(0, pack.rows);
  if (!is_sound(x)) return diverged(pack);
  Norm::Pass pass;
  const at::Tensor normed = norm_.forward(x, pass);
  at::Tensor dnormed;
  PackLoss loss = head_loss(pack, normed, &dnormed);
  const at::Tensor dx = norm_.backward(dnormed, x, pass, {});
  at::Tensor dout = at::zeros_like(all).index_copy_(0, pack.rows, dx);
  for (std::size_t i = steps_.size(); i-- > 0;) {
    dout = backward_step(pack, steps_[i], passes[i], dout);
    passes.pop_back();
  }
  add_embedding_gradients(pack, dout);
  return loss;
}

}  // namespace understudy::s5
