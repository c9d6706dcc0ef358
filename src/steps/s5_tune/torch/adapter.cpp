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

void fill_uniform(const at::Tensor& tensor, double bound, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(-bound, bound);
  with_value_of(tensor.scalar_type(), [&]<class Value>(Value) {
    Value* to = tensor.data_ptr<Value>();
    for (std::int64_t i = 0; i < tensor.numel(); ++i) {
      to[i] = static_cast<Value>(static_cast<float>(uniform(random)));
    }
  });
}

}  // namespace

Result<Adapter> Adapter::create(const DecoderPlan& plan, const AdapterOptions& options,
                                at::ScalarType compute) {
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
  adapter.make_buffers(total, compute);
  std::mt19937_64 random(options.seed);
  std::int64_t at = 0;
  const auto take = [&](const at::Tensor& flat, std::int64_t rows, std::int64_t columns) {
    return flat.narrow(0, at, rows * columns).view({rows, columns});
  };
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    for (const LinearModule& linear : linears) {
      if (!is_in(layer, linear)) continue;
      AdapterModule module{.layer = layer, .linear = linear};
      module.a = take(adapter.parameters_, r, linear.columns);
      module.gradient_a = take(adapter.gradients_, r, linear.columns);
      module.low = take(adapter.computed_, r, linear.columns);
      at += r * linear.columns;
      module.b = take(adapter.parameters_, linear.rows, r);
      module.gradient_b = take(adapter.gradients_, linear.rows, r);
      module.high = take(adapter.computed_, linear.rows, r);
      at += r * linear.rows;
      if (options.magnitudes) {
        module.magnitude = adapter.parameters_.narrow(0, at, linear.rows);
        module.gradient_magnitude = adapter.gradients_.narrow(0, at, linear.rows);
        at += linear.rows;
      }
      fill_uniform(module.a, 1 / std::sqrt(static_cast<double>(linear.columns)), random);
      adapter.modules_.push_back(std::move(module));
    }
  }
  CHECK(at == total, "the modules fill the buffer");
  adapter.refresh();
  return adapter;
}

const AdapterModule* Adapter::find(std::int64_t layer, const std::string& gguf) const {
  const auto found = std::ranges::find_if(modules_, [&](const AdapterModule& module) {
    return module.layer == layer && module.linear.gguf == gguf;
  });
  return found == modules_.end() ? nullptr : &*found;
}

}  // namespace understudy::s5
