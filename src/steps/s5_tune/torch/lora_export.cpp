#include "steps/s5_tune/torch/lora_export.hpp"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>

#include "adapters/lm/gguf_builder.hpp"
#include "adapters/lm/gguf_copy.hpp"
#include "adapters/lm/reference_model.hpp"
#include "adapters/lm/safetensors.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t texts_compared_max = 3;
constexpr std::size_t tokens_compared_max = 96;
// f32 against f32 in another order of summation: 1e-5 is usual. With other types libllama rounds
// the activations too, to 8 bits or to bf16.
constexpr double difference_max_f32 = 2e-3;
constexpr double difference_max = 6e-2;
// Four bits move logits by a few hundredths; a merge gone wrong moves them as far as they go.
constexpr double quantised_difference_max = 0.3;
constexpr double effect_min = 1e-5;

std::span<const float> values_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

std::string gguf_name(const AdapterModule& module) {
  return "blk." + std::to_string(module.layer) + "." + module.linear.gguf + ".weight";
}

std::string peft_name(const DecoderPlan& plan, const AdapterModule& module, const char* part) {
  return "base_model.model." + plan.hf_layers + "." + std::to_string(module.layer) + "." +
         module.linear.hf + "." + part + ".weight";
}

// Row 2i + p of a head in the GGUF file is row p * half + i in Hugging Face's.
at::Tensor rows_for_hf(const at::Tensor& b, std::int64_t reordered_heads) {
  if (reordered_heads == 0) return b.contiguous();
  const std::int64_t half = b.size(0) / reordered_heads / 2;
  return b.view({reordered_heads, half, 2, b.size(1)})
      .transpose(1, 2)
      .reshape({b.size(0), b.size(1)})
      .contiguous();
}

Status check_names(const lm::GgufFile& base, const std::filesystem::path& path) {
  const auto file = TRY(lm::GgufFile::open(path));
  for (const lm::StoredTensor& tensor : file.tensors()) {
    const std::string module = tensor.name.substr(0, tensor.name.rfind(".lora_"));
    const lm::StoredTensor* target = base.find(module);
    const bool a = tensor.name.ends_with(".lora_a");
    if (target == nullptr ||
        (a ? tensor.columns != target->columns : tensor.rows != target->rows)) {
      return fail(ErrorCode::internal,
                  path.string() + ": " + tensor.name + " fits no tensor of the base");
    }
  }
  return file.check_finite();
}

using Rows = std::vector<std::vector<float>>;

Rows our_logits(const LoraExport& from, const Adapter& adapter, const TokenText& text) {
  BaseWeights weights(from.base, at::kFloat);
  Decoder decoder(from.plan, weights, &adapter);
  TokenText whole = text;
  whole.prompt_tokens = 1;  // logits of every token
  whole.tokens.push_back(whole.tokens.back());
  const std::vector<std::size_t> first = {0};
  const at::Tensor logits = decoder.logits(make_pack({&whole, 1}, first));
  Rows rows;
  for (std::int64_t i = 0; i < logits.size(0); ++i) {
    const float* row = logits.const_data_ptr<float>() + i * logits.size(1);
    rows.emplace_back(row, row + logits.size(1));
  }
  return rows;
}

double largest_of(const Rows& rows) {
  double largest = 0;
  for (const auto& row : rows) {
    for (const float value : row) largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  return std::max(largest, 1e-9);
}

double apart(const Rows& a, const Rows& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a[i].size(); ++j) {
      const double difference =
          std::abs(static_cast<double>(a[i][j]) - static_cast<double>(b[i][j]));
      if (!(difference <= largest)) largest = difference;  // takes a NaN too
    }
  }
  return largest;
}

bool all_f32(const lm::GgufFile& file) {
  return std::ranges::all_of(file.tensors(),
                             [](const auto& tensor) { return tensor.type == lm::StoredAs::f32; });
}

}  // namespace

Status write_gguf_adapter(const LoraExport& from, const std::filesystem::path& path) {
  lm::GgufBuilder file;
  const auto rank = static_cast<double>(from.adapter.options().rank);
  file.set("general.type", "adapter");
  file.set("general.architecture", from.plan.architecture);
  file.set("general.name", "understudy adapter");
  file.set("adapter.type", "lora");
  file.set("adapter.lora.alpha", static_cast<float>(from.adapter.scale() * rank));
  for (const AdapterModule& module : from.adapter.modules()) {
    const std::string name = gguf_name(module);
    file.add({.name = name + ".lora_a", .rows = module.a.size(0), .columns = module.a.size(1)},
             values_of(module.a));
    file.add({.name = name + ".lora_b", .rows = module.b.size(0), .columns = module.b.size(1)},
             values_of(module.b));
  }
  return file.write(path);
}

Status write_peft_adapter(const LoraExport& from, const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(ErrorCode::denied, "cannot make " + directory.string());
  std::vector<at::Tensor> kept;
  std::vector<lm::ViewedTensor> tensors;
  json::array targets;
  kept.reserve(2 * from.adapter.modules().size());
  const auto add = [&](std::string name, const at::Tensor& tensor) {
    kept.push_back(tensor);
    tensors.push_back({.name = std::move(name),
                       .shape = {tensor.size(0), tensor.size(1)},
                       .values = values_of(kept.back())});
  };
  for (const AdapterModule& module : from.adapter.modules()) {
    add(peft_name(from.plan, module, "lora_A"), module.a.contiguous());
    add(peft_name(from.plan, module, "lora_B"),
        rows_for_hf(module.b, module.linear.reordered_heads));
    const std::string target = module.linear.hf.substr(module.linear.hf.rfind('.') + 1);
    if (std::ranges::find(targets, json::value(target)) == targets.end()) {
      targets.emplace_back(target);
    }
  }
  TRY(lm::write_safetensors(directory / "adapter_model.safetensors", {{"format", "pt"}}, tensors));
  const AdapterOptions& options = from.adapter.options();
  const json::object config{
      {"peft_type", "LORA"},
      {"task_type", "CAUSAL_LM"},
      {"base_model_name_or_path", from.base.find_string("general.name").value_or("")},
      {"r", options.rank},
      {"lora_alpha", options.alpha},
      {"lora_dropout", options.dropout},
      {"use_rslora", options.rank_scale == RankScale::by_root},
      {"target_modules", targets},
      {"bias", "none"},
      {"fan_in_fan_out", false},
      {"inference_mode", true},
      {"modules_to_save", nullptr}};
  return write_file_atomically(directory / "adapter_config.json", json::to_text(config) + "\n");
}

Status write_merged_model(const LoraExport& from, const std::filesystem::path& path) {
  return lm::write_gguf_copy(from.base, path, [&](const lm::StoredTensor& tensor) {
    std::vector<float> values = lm::expand(tensor);
    for (const AdapterModule& module : from.adapter.modules()) {
      if (gguf_name(module) != tensor.name) continue;
      at::from_blob(values.data(), {tensor.rows, tensor.columns}, at::TensorOptions(at::kFloat))
          .addmm_(module.b, module.a, 1, from.adapter.scale());
    }
    return values;
  });
}

namespace {

// The training forward pass in f32.
Result<Adapter> in_f32(const LoraExport& from) {
  Adapter adapter = TRY(Adapter::create(from.plan, from.adapter.options(), at::kFloat));
  adapter.parameters().copy_(from.adapter.parameters());
  adapter.refresh();
  return adapter;
}

std::vector<TokenText> compared(std::span<const TokenText> texts) {
  texts = texts.first(std::min(texts.size(), texts_compared_max));
  std::vector<TokenText> some(texts.begin(), texts.end());
  for (TokenText& text : some) {
    text.tokens.resize(std::min(text.tokens.size(), tokens_compared_max));
  }
  return some;
}

}  // namespace

Result<double> check_merged_model(const LoraExport& from, const std::filesystem::path& path,
                                  std::span<const TokenText> texts, MergedAs as) {
  const auto merged = TRY(lm::ReferenceModel::open(path));
  const Adapter adapter = TRY(in_f32(from));
  double difference = 0;
  for (const TokenText& text : compared(texts)) {
    const Rows theirs = TRY(merged.logits(text.tokens));
    difference =
        std::max(difference, apart(theirs, our_logits(from, adapter, text)) / largest_of(theirs));
  }
  if (!(difference <= (as == MergedAs::f32 ? difference_max_f32 : quantised_difference_max))) {
    return fail(ErrorCode::internal,
                "the merged model computes something else: libllama's logits differ by " +
                    std::to_string(difference) + " of the largest",
                "The merged model was not kept.");
  }
  return difference;
}

Result<AdapterCheck> check_gguf_adapter(const LoraExport& from, const std::filesystem::path& path,
                                        std::span<const TokenText> texts) {
  TRY(check_names(from.base, path));
  const auto plain = TRY(lm::ReferenceModel::open(from.base_path));
  const auto adapted = TRY(lm::ReferenceModel::open(from.base_path, path));
  const Adapter adapter = TRY(in_f32(from));
  AdapterCheck check;
  for (const TokenText& text : compared(texts)) {
    const Rows theirs = TRY(adapted.logits(text.tokens));
    const double largest = largest_of(theirs);
    check.difference =
        std::max(check.difference, apart(theirs, our_logits(from, adapter, text)) / largest);
    check.effect = std::max(check.effect, apart(theirs, TRY(plain.logits(text.tokens))) / largest);
  }
  const double allowed = all_f32(from.base) ? difference_max_f32 : difference_max;
  if (!(check.difference <= allowed)) {
    return fail(ErrorCode::internal,
                "the exported adapter computes something else: libllama's logits differ by " +
                    std::to_string(check.difference) + " of the largest",
                "Please report this; the adapter was not kept.");
  }
  if (!(check.effect >= effect_min)) {
    return fail(ErrorCode::internal, "the adapter changes nothing: libllama answers as the base",
                "Train longer, or with a higher --learning-rate.");
  }
  return check;
}

Status check_peft_adapter(const LoraExport& from, const std::filesystem::path& directory) {
  const auto file = TRY(lm::read_safetensors(directory / "adapter_model.safetensors"));
  if (file.tensors.size() != 2 * from.adapter.modules().size()) {
    return fail(ErrorCode::internal, directory.string() + " lacks tensors");
  }
  for (const AdapterModule& module : from.adapter.modules()) {
    const auto a = file.tensors.find(peft_name(from.plan, module, "lora_A"));
    const auto b = file.tensors.find(peft_name(from.plan, module, "lora_B"));
    if (a == file.tensors.end() || b == file.tensors.end() ||
        !std::ranges::equal(a->second.values, values_of(module.a)) ||
        b->second.values.size() != static_cast<std::size_t>(module.b.numel())) {
      return fail(ErrorCode::internal,
                  directory.string() + " does not hold what was trained of " + gguf_name(module));
    }
  }
  return {};
}

}  // namespace understudy::s5
