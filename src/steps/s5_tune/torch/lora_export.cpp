#include "steps/s5_tune/torch/lora_export.hpp"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "adapters/lm/gguf_builder.hpp"
#include "adapters/lm/reference_model.hpp"
#include "adapters/lm/safetensors.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "steps/s5_tune/torch/logits_check.hpp"

namespace understudy::s5 {

namespace {

// With other types than f32 libllama rounds the activations too, to 8 bits or to bf16.
constexpr double difference_max = 6e-2;

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
at::Tensor rows_for_hf(const at::Tensor& rows, std::int64_t reordered_heads) {
  if (reordered_heads == 0) return rows.contiguous();
  const std::int64_t half = rows.size(0) / reordered_heads / 2;
  return rows.view({reordered_heads, half, 2, rows.size(1)})
      .transpose(1, 2)
      .reshape({rows.size(0), rows.size(1)})
      .contiguous();
}

// What is added to Hugging Face's weights is multiplied there as they are; A stays as it is.
at::Tensor b_for_hf(const AdapterModule& module) {
  return rows_for_hf(module.b, module.linear.reordered_heads).div(module.linear.hf_factor);
}

// The lengths of Hugging Face's rows, as a column; a factor's sign is in B.
at::Tensor magnitude_for_hf(const AdapterModule& module) {
  return rows_for_hf(module.magnitude.view({-1, 1}), module.linear.reordered_heads)
      .div(std::abs(module.linear.hf_factor));
}

// The directory that the base was converted from, which other programs can open.
std::string name_for_peft(const lm::GgufFile& base) {
  if (auto directory = base.find_string(lm::source_directory_key)) return *directory;
  return base.find_string("general.name").value_or("");
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
  kept.reserve(3 * from.adapter.modules().size());
  const auto add = [&](std::string name, const at::Tensor& tensor) {
    kept.push_back(tensor);
    tensors.push_back({.name = std::move(name),
                       .shape = {tensor.size(0), tensor.size(1)},
                       .values = values_of(kept.back())});
  };
  const auto add_vector = [&](const std::string& name, const at::Tensor& column) {
    add(name.substr(0, name.rfind(".weight")), column);
    tensors.back().shape.pop_back();
  };
  for (const AdapterModule& module : from.adapter.modules()) {
    add(peft_name(from.plan, module, "lora_A"), module.a.contiguous());
    add(peft_name(from.plan, module, "lora_B"), b_for_hf(module));
    if (module.magnitude.defined()) {
      add_vector(peft_name(from.plan, module, "lora_magnitude_vector"), magnitude_for_hf(module));
    }
    const std::string target = module.linear.hf.substr(module.linear.hf.rfind('.') + 1);
    if (std::ranges::find(targets, json::value(target)) == targets.end()) {
      targets.emplace_back(target);
    }
  }
  TRY(lm::write_safetensors(directory / "adapter_model.safetensors", {{"format", "pt"}}, tensors));
  const AdapterOptions& options = from.adapter.options();
  const json::object config{{"peft_type", "LORA"},
                            {"task_type", "CAUSAL_LM"},
                            {"base_model_name_or_path", name_for_peft(from.base)},
                            {"r", options.rank},
                            {"lora_alpha", options.alpha},
                            {"lora_dropout", options.dropout},
                            {"use_rslora", options.rank_scale == RankScale::by_root},
                            {"target_modules", targets},
                            {"use_dora", options.magnitudes},
                            {"bias", "none"},
                            {"fan_in_fan_out", false},
                            {"inference_mode", true},
                            {"modules_to_save", nullptr}};
  return write_file_atomically(directory / "adapter_config.json", json::to_text(config) + "\n");
}

std::vector<std::string> serving_warnings(const AdapterOptions& options) {
  std::vector<std::string> warnings;
  // What vLLM takes as --max-lora-rank; the first where it is told nothing.
  constexpr std::array<std::int64_t, 6> ranks = {16, 32, 64, 128, 256, 512};
  if (options.magnitudes) {
    warnings.emplace_back("vLLM refuses DoRA adapters: give it the merged model.");
  } else if (options.rank > ranks.front()) {
    const auto* const enough = std::ranges::lower_bound(ranks, options.rank);
    warnings.push_back(
        enough == ranks.end()
            ? "vLLM takes no adapter of a rank above 512: give it the merged model."
            : "vLLM takes this adapter only when it is started with --max-lora-rank " +
                  std::to_string(*enough) + ".");
  }
  return warnings;
}

Result<AdapterCheck> check_gguf_adapter(const LoraExport& from, const std::filesystem::path& path,
                                        std::span<const TokenText> texts) {
  TRY(check_names(from.base, path));
  const auto plain = TRY(lm::ReferenceModel::open(from.base_path));
  const auto adapted = TRY(lm::ReferenceModel::open(from.base_path, path));
  const Adapter adapter = TRY(in_f32(from.plan, from.adapter));
  const TunedModel model{.base = from.base, .plan = from.plan, .adapter = &adapter};
  AdapterCheck check;
  for (const TokenText& text : texts_to_compare(texts)) {
    const LogitRows theirs = TRY(adapted.logits(text.tokens));
    const double largest = largest_of(theirs);
    take_larger(check.difference, apart(theirs, our_logits(model, text)) / largest);
    take_larger(check.effect, apart(theirs, TRY(plain.logits(text.tokens))) / largest);
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
  const std::size_t of_module = from.adapter.options().magnitudes ? 3 : 2;
  if (file.tensors.size() != of_module * from.adapter.modules().size()) {
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
