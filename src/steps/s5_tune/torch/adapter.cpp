#include "steps/s5_tune/torch/adapter.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace understudy::s5 {

namespace {

// "self_attn.q_proj" is meant by "q_proj", as PEFT has it.
bool is_named(const LinearModule& module, const std::string& target) {
  return module.gguf == target || module.hf == target || module.hf.ends_with("." + target);
}

Result<std::vector<LinearModule>> chosen(const DecoderPlan& plan, const AdapterOptions& options) {
  if (options.targets.empty()) return plan.modules;
  for (const std::string& target : options.targets) {
    if (std::ranges::none_of(plan.modules, [&](const auto& m) { return is_named(m, target); })) {
      std::string all;
      for (const LinearModule& module : plan.modules) {
        all += (all.empty() ? "" : ", ") + module.hf.substr(module.hf.rfind('.') + 1);
      }
      return fail(ErrorCode::invalid_input,
                  "no layer of a " + plan.architecture + " model is called \"" + target + "\"",
                  "Its linear layers are " + all + ".");
    }
  }
  std::vector<LinearModule> modules;
  for (const LinearModule& module : plan.modules) {
    if (std::ranges::any_of(options.targets, [&](const auto& t) { return is_named(module, t); })) {
      modules.push_back(module);
    }
  }
  return modules;
}

// Whether two layers of a block read the same rows.
bool share_input(const LinearModule& one, const LinearModule& other) {
  const auto reads = [](const LinearModule& module) {
    if (module.gguf == "attn_q" || module.gguf == "attn_k" || module.gguf == "attn_v") return 1;
    return module.gguf == "ffn_gate" || module.gguf == "ffn_up" ? 2 : 0;
  };
  return reads(one) != 0 && reads(one) == reads(other);
}

// The same values on every device.
void fill_uniform(const at::Tensor& tensor, double bound, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(-bound, bound);
  at::Tensor drawn = at::empty(tensor.sizes(), at::TensorOptions(at::kFloat));
  float* to = drawn.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) to[i] = static_cast<float>(uniform(random));
  tensor.copy_(drawn);
}

}  // namespace

Result<Adapter> Adapter::create(const DecoderPlan& plan, const AdapterOptions& options,
                                const Computing& computing) {
  const std::vector<LinearModule> linears = TRY(chosen(plan, options));
  const auto layers = static_cast<std::int64_t>(plan.layers.size());
  const std::int64_t r = options.rank;
  std::int64_t total = 0;
  const auto is_in = [&](std::int64_t layer, const LinearModule& linear) {
    return std::ranges::contains(plan.modules_of(static_cast<std::size_t>(layer)), linear.gguf,
                                 &LinearModule::gguf);
  };
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    for (const LinearModule& linear : linears) {
      if (!is_in(layer, linear)) continue;
      total += r * (linear.rows + linear.columns) + (options.magnitudes ? linear.rows : 0);
    }
  }
  Adapter adapter;
  adapter.options_ = options;
  const auto rank = static_cast<double>(r);
  adapter.scale_ =
      options.alpha / (options.rank_scale == RankScale::by_root ? std::sqrt(rank) : rank);
  adapter.make_buffers(total, computing);
  std::mt19937_64 random(options.seed);
  std::int64_t at = 0;
  const auto take = [&](const at::Tensor& flat, std::int64_t rows, std::int64_t columns) {
    return flat.narrow(0, at, rows * columns).view({rows, columns});
  };
  const auto take_rest = [&](AdapterModule& module) {
    const std::int64_t rows = module.linear.rows;
    module.b = take(adapter.parameters_, rows, r);
    module.gradient_b = take(adapter.gradients_, rows, r);
    module.high = take(adapter.computed_, rows, r);
    at += r * rows;
    if (!options.magnitudes) return;
    module.magnitude = adapter.parameters_.narrow(0, at, rows);
    module.gradient_magnitude = adapter.gradients_.narrow(0, at, rows);
    at += rows;
  };
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    std::size_t first = adapter.modules_.size();  // of those that share an input
    const auto finish = [&] {
      for (; first < adapter.modules_.size(); ++first) take_rest(adapter.modules_[first]);
    };
    for (const LinearModule& linear : linears) {
      if (!is_in(layer, linear)) continue;
      if (first < adapter.modules_.size() && !share_input(adapter.modules_.back().linear, linear)) {
        finish();
      }
      AdapterModule& module =
          adapter.modules_.emplace_back(AdapterModule{.layer = layer, .linear = linear});
      module.a = take(adapter.parameters_, r, linear.columns);
      module.gradient_a = take(adapter.gradients_, r, linear.columns);
      module.low = take(adapter.computed_, r, linear.columns);
      at += r * linear.columns;
      fill_uniform(module.a, 1 / std::sqrt(static_cast<double>(linear.columns)), random);
    }
    finish();
  }
  CHECK(at == total, "the modules fill the buffer");
  adapter.refresh();
  return adapter;
}

Adapter Adapter::with_own_gradients() const {
  Adapter other = *this;
  other.gradients_ = at::zeros_like(gradients_);
  const auto in_other = [&](at::Tensor& view) {
    if (!view.defined()) return;
    view = other.gradients_.narrow(0, view.storage_offset(), view.numel()).view(view.sizes());
  };
  for (AdapterModule& module : other.modules_) {
    in_other(module.gradient_a);
    in_other(module.gradient_b);
    in_other(module.gradient_magnitude);
  }
  return other;
}

const AdapterModule* Adapter::find(std::int64_t layer, const std::string& gguf) const {
  const auto found = std::ranges::find_if(modules_, [&](const AdapterModule& module) {
    return module.layer == layer && module.linear.gguf == gguf;
  });
  return found == modules_.end() ? nullptr : &*found;
}

}  // namespace understudy::s5
