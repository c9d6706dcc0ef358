#include "steps/s5_tune/families/plan_reader.hpp"

#include <algorithm>
#include <cmath>

namespace understudy::s5 {

namespace {

constexpr std::int64_t side_max = 1 << 24;  // of any shape: keeps products far from overflow

constexpr const char* long_factors = "rope_factors_long.weight";
constexpr const char* short_factors = "rope_factors_short.weight";

struct Shape {
  std::int64_t rows = 1;
  std::int64_t columns = 0;
};

Status check_tensor(const lm::GgufFile& file, const std::string& name, const Shape& shape) {
  const lm::StoredTensor* tensor = file.find(name);
  if (tensor == nullptr) {
    return fail(ErrorCode::corrupt, file.name() + " lacks the tensor " + name);
  }
  if (tensor->rows != shape.rows || tensor->columns != shape.columns) {
    return fail(ErrorCode::corrupt,
                file.name() + ": tensor " + name + " is " + std::to_string(tensor->rows) + " x " +
                    std::to_string(tensor->columns) + " instead of " + std::to_string(shape.rows) +
                    " x " + std::to_string(shape.columns));
  }
  return {};
}

Status check_bias(const lm::GgufFile& file, const std::string& name, std::int64_t width) {
  if (file.find(name) == nullptr) return {};
  return check_tensor(file, name, {.columns = width});
}

}  // namespace

std::string PlanReader::full(std::string_view key) const {
  return architecture_ + "." + std::string(key);
}

Result<std::int64_t> PlanReader::count(std::string_view key) const {
  const auto value = file_.find_integer(full(key));
  if (!value || *value <= 0 || *value > side_max) {
    return fail(ErrorCode::corrupt, file_.name() + " has no sound " + full(key));
  }
  return *value;
}

double PlanReader::number_or(std::string_view key, double otherwise) const {
  return file_.find_number(full(key)).value_or(otherwise);
}

std::int64_t PlanReader::integer_or(std::string_view key, std::int64_t otherwise) const {
  return file_.find_integer(full(key)).value_or(otherwise);
}

Result<std::vector<std::int64_t>> PlanReader::per_layer(std::string_view key,
                                                        std::size_t layers) const {
  if (const auto one = file_.find_integer(full(key))) {
    if (*one >= 0 && *one <= side_max) return std::vector<std::int64_t>(layers, *one);
  }
  auto values = file_.find_integers(full(key));
  if (!values || values->size() != layers || std::ranges::any_of(*values, [](std::int64_t value) {
        return value < 0 || value > side_max;
      })) {
    return fail(ErrorCode::corrupt, file_.name() + " has no sound " + full(key));
  }
  return std::move(*values);
}

Result<StateSpacePlan> PlanReader::state_space() const {
  StateSpacePlan plan{.convolution = TRY(count("ssm.conv_kernel")),
                      .heads = TRY(count("ssm.time_step_rank")),
                      .groups = TRY(count("ssm.group_count")),
                      .state = TRY(count("ssm.state_size"))};
  const std::int64_t inner = TRY(count("ssm.inner_size"));
  plan.head_width = inner / plan.heads;
  if (inner % plan.heads != 0 || plan.heads % plan.groups != 0) {
    return fail(ErrorCode::corrupt, file_.name() + ": its state-space heads do not fit each other");
  }
  return plan;
}

Status PlanReader::check_rope(LongRope long_rope) const {
  const std::string scaling = file_.find_string(full("rope.scaling.type")).value_or("none");
  const bool known = long_rope == LongRope::known;
  if (scaling != "none" && scaling != "linear" && !(known && scaling == "longrope")) {
    return fail(ErrorCode::unsupported,
                file_.name() + " stretches its context by \"" + scaling + "\" RoPE scaling",
                "Models without RoPE scaling, with linear scaling, with Llama 3's factors or with "
                "Phi-3's can be trained.");
  }
  if (!known && number_or("rope.scaling.attn_factor", 1) != 1) {
    return fail(ErrorCode::unsupported, file_.name() + " multiplies what RoPE turns");
  }
  const bool has_sets = file_.find(long_factors) != nullptr || file_.find(short_factors) != nullptr;
  if (has_sets && !known) {
    return fail(ErrorCode::unsupported, file_.name() + " stretches its context by long-RoPE");
  }
  return {};
}

// libllama takes the short set for contexts up to that of before the stretching, so that we train
// on no longer ones.
Status PlanReader::take_long_rope(DecoderPlan& plan) const {
  plan.rope_gain = number_or("rope.scaling.attn_factor", 1);
  if (file_.find(long_factors) == nullptr && file_.find(short_factors) == nullptr) return {};
  // What servers add to a context that holds prompt and answer, and libllama's rounding up.
  constexpr std::int64_t context_margin = 256;
  const std::int64_t before = integer_or("rope.scaling.original_context_length", plan.context);
  if (before <= context_margin) {
    return fail(ErrorCode::unsupported, file_.name() + " had a context of " +
                                            std::to_string(before) +
                                            " tokens before it was stretched: too few");
  }
  plan.context = std::min(plan.context, before - context_margin);
  plan.rope_factors = short_factors;
  return {};
}

Result<DecoderPlan> PlanReader::read(LongRope long_rope) const {
  if (integer_or("expert_count", 0) > 0) {
    return fail(ErrorCode::unsupported, file_.name() + " is a mixture of experts",
                "Dense models can be trained.");
  }
  TRY(check_rope(long_rope));
  DecoderPlan plan{.architecture = architecture_};
  plan.context = TRY(count("context_length"));
  plan.width = TRY(count("embedding_length"));
  const auto layers = static_cast<std::size_t>(TRY(count("block_count")));
  plan.heads = std::ranges::max(TRY(per_layer("attention.head_count", layers)));
  plan.feed_forward = std::ranges::max(TRY(per_layer("feed_forward_length", layers)));
  plan.kv_heads = plan.heads;
  if (file_.has(full("attention.head_count_kv"))) {
    plan.kv_heads = std::ranges::max(TRY(per_layer("attention.head_count_kv", layers)));
  }
  if (plan.heads == 0 || plan.feed_forward == 0) {
    return fail(ErrorCode::unsupported, file_.name() + " has no attention or no feed-forward part");
  }
  plan.head_width = integer_or("attention.key_length", plan.width / plan.heads);
  plan.rope_width = integer_or("rope.dimension_count", plan.head_width);
  plan.norm_epsilon = number_or("attention.layer_norm_rms_epsilon",
                                number_or("attention.layer_norm_epsilon", 1e-5));
  const lm::StoredTensor* embedding = file_.find("token_embd.weight");
  if (embedding == nullptr) return fail(ErrorCode::corrupt, file_.name() + " has no embeddings");
  plan.vocabulary = embedding->rows;
  if (plan.kv_heads <= 0 || plan.heads % plan.kv_heads != 0 || plan.head_width <= 0 ||
      plan.head_width % 2 != 0 || plan.head_width > side_max || plan.rope_width <= 0 ||
      plan.rope_width % 2 != 0 || plan.rope_width > plan.head_width) {
    return fail(ErrorCode::corrupt, file_.name() + ": its heads do not fit each other");
  }
  if (integer_or("attention.value_length", plan.head_width) != plan.head_width) {
    return fail(ErrorCode::unsupported, file_.name() + " has values of another width than keys");
  }
  plan.attention_scale = 1 / std::sqrt(static_cast<double>(plan.head_width));
  plan.tied = file_.find("output.weight") == nullptr;
  const double stretch = number_or("rope.scaling.factor", 1);
  const LayerPlan layer{.rope_base = number_or("rope.freq_base", 10'000),
                        .rope_scale = stretch > 0 ? 1 / stretch : 1};
  plan.layers.assign(layers, layer);
  if (long_rope == LongRope::known) TRY(take_long_rope(plan));
  return plan;
}

void add_split_modules(DecoderPlan& plan, HeadRows head_rows) {
  const bool reordered = head_rows == HeadRows::reordered;
  const std::int64_t q = plan.query_width();
  const std::int64_t kv = plan.kv_width();
  plan.modules = {
      {.gguf = "attn_q",
       .hf = "self_attn.q_proj",
       .rows = q,
       .columns = plan.width,
       .reordered_heads = reordered ? plan.heads : 0},
      {.gguf = "attn_k",
       .hf = "self_attn.k_proj",
       .rows = kv,
       .columns = plan.width,
       .reordered_heads = reordered ? plan.kv_heads : 0},
      {.gguf = "attn_v", .hf = "self_attn.v_proj", .rows = kv, .columns = plan.width},
      {.gguf = "attn_output", .hf = "self_attn.o_proj", .rows = plan.width, .columns = q},
      {.gguf = "ffn_gate", .hf = "mlp.gate_proj", .rows = plan.feed_forward, .columns = plan.width},
      {.gguf = "ffn_up", .hf = "mlp.up_proj", .rows = plan.feed_forward, .columns = plan.width},
      {.gguf = "ffn_down",
       .hf = "mlp.down_proj",
       .rows = plan.width,
       .columns = plan.feed_forward}};
}

void fuse_qkv(DecoderPlan& plan) {
  plan.fused_qkv = true;
  std::erase_if(plan.modules, [](const LinearModule& module) {
    return module.gguf == "attn_k" || module.gguf == "attn_v";
  });
  plan.modules.front() = {.gguf = "attn_qkv",
                          .hf = "self_attn.qkv_proj",
                          .rows = plan.query_width() + 2 * plan.kv_width(),
                          .columns = plan.width};
}

void add_fused_modules(DecoderPlan& plan) {
  plan.fused_qkv = true;
  plan.fused_gate_up = true;
  const std::int64_t q = plan.query_width();
  plan.modules = {
      {.gguf = "attn_qkv",
       .hf = "self_attn.qkv_proj",
       .rows = q + 2 * plan.kv_width(),
       .columns = plan.width},
      {.gguf = "attn_output", .hf = "self_attn.o_proj", .rows = plan.width, .columns = q},
      {.gguf = "ffn_up",
       .hf = "mlp.gate_up_proj",
       .rows = 2 * plan.feed_forward,
       .columns = plan.width},
      {.gguf = "ffn_down",
       .hf = "mlp.down_proj",
       .rows = plan.width,
       .columns = plan.feed_forward}};
}

namespace {

Status check_state_space(const lm::GgufFile& file, const DecoderPlan& plan,
                         const std::string& block) {
  const StateSpacePlan& s = plan.state_space;
  TRY(check_tensor(file, block + "ssm_in.weight", {.rows = s.projected(), .columns = plan.width}));
  TRY(check_tensor(file, block + "ssm_out.weight", {.rows = plan.width, .columns = s.inner()}));
  TRY(check_tensor(file, block + "ssm_conv1d.weight",
                   {.rows = s.convolved(), .columns = s.convolution}));
  TRY(check_bias(file, block + "ssm_conv1d.bias", s.convolved()));
  TRY(check_tensor(file, block + "ssm_dt.bias", {.columns = s.heads}));
  TRY(check_tensor(file, block + "ssm_a", {.rows = s.heads, .columns = 1}));
  TRY(check_tensor(file, block + "ssm_d", {.rows = s.heads, .columns = 1}));
  if (!s.normed) return {};
  return check_tensor(file, block + "ssm_norm.weight",
                      {.rows = s.groups, .columns = s.inner() / s.groups});
}

Status check_norm(const lm::GgufFile& file, const DecoderPlan& plan, const std::string& name) {
  const bool bare = file.find(name) != nullptr;  // Falcon-H1's ffn_norm
  TRY(check_tensor(file, bare ? name : name + ".weight", {.columns = plan.width}));
  if (plan.norms == Norms::layer) {
    TRY(check_tensor(file, name + ".bias", {.columns = plan.width}));
  }
  return {};
}

Status check_layer(const lm::GgufFile& file, const DecoderPlan& plan, std::size_t layer) {
  const std::string block = "blk." + std::to_string(layer) + ".";
  const Mixer mixer = plan.layers[layer].mixer;
  TRY(check_norm(file, plan, block + "attn_norm"));
  const bool convolves = mixer == Mixer::short_convolution_then_feed_forward;
  const bool both = mixer == Mixer::attention_and_state_space_then_feed_forward;
  const bool two_steps = mixer == Mixer::attention_then_feed_forward || convolves || both;
  if (two_steps) TRY(check_norm(file, plan, block + "ffn_norm"));
  if (plan.post_norms) {
    TRY(check_norm(file, plan, block + "post_attention_norm"));
    if (two_steps) TRY(check_norm(file, plan, block + "post_ffw_norm"));
  }
  if (mixer == Mixer::state_space) return check_state_space(file, plan, block);
  if (both) TRY(check_state_space(file, plan, block));
  if (convolves) {
    TRY(check_tensor(file, block + "shortconv.conv.weight",
                     {.rows = plan.width, .columns = plan.short_convolution}));
  }
  if (plan.query_key_norms && plan.has_attention(layer)) {
    TRY(check_tensor(file, block + "attn_q_norm.weight", {.columns = plan.head_width}));
    TRY(check_tensor(file, block + "attn_k_norm.weight", {.columns = plan.head_width}));
  }
  for (const LinearModule& module : plan.modules_of(layer)) {
    TRY(check_tensor(file, block + module.gguf + ".weight",
                     {.rows = module.rows, .columns = module.columns}));
    TRY(check_bias(file, block + module.gguf + ".bias", module.rows));
  }
  return {};
}

}  // namespace

Status check_tensors(const lm::GgufFile& file, const DecoderPlan& plan) {
  TRY(check_tensor(file, "token_embd.weight", {.rows = plan.vocabulary, .columns = plan.width}));
  TRY(check_norm(file, plan, plan.output_norm));
  if (!plan.tied) {
    TRY(check_tensor(file, "output.weight", {.rows = plan.vocabulary, .columns = plan.width}));
  }
  TRY(check_bias(file, "output.bias", plan.vocabulary));
  for (std::size_t i = 0; i < plan.layers.size(); ++i) TRY(check_layer(file, plan, i));
  if (plan.rope_factors == short_factors) {
    return check_tensor(file, plan.rope_factors, {.columns = plan.rope_width / 2});
  }
  return check_bias(file, plan.rope_factors, plan.rope_width / 2);
}

}  // namespace understudy::s5
