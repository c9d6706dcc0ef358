// Writes an adapter for the servers that people run, and holds each file against the training
// forward pass before it counts: adapters that load and silently do nothing are the field's worst
// bug.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "adapters/lm/gguf_file.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/torch/adapter.hpp"
#include "steps/s5_tune/tuning_text.hpp"

namespace understudy::s5 {

struct LoraExport {
  const lm::GgufFile& base;  // and where it lies
  std::filesystem::path base_path;
  const DecoderPlan& plan;
  const Adapter& adapter;
};

// A GGUF LoRA. rsLoRA's scale is folded into alpha, as the format knows alpha / r only.
Status write_gguf_adapter(const LoraExport& from, const std::filesystem::path& path);
// adapter_model.safetensors and adapter_config.json under Hugging Face's names and order of rows.
Status write_peft_adapter(const LoraExport& from, const std::filesystem::path& directory);

// What servers do not take of a peft directory unless they are told; empty for most.
std::vector<std::string> serving_warnings(const AdapterOptions& options);

struct AdapterCheck {
  double difference = 0;  // libllama with the file against us: largest, over the largest logit
  double effect = 0;      // libllama with the file against without, likewise
};
// internal: a tensor without a base module, logits that differ, or an adapter without effect.
Result<AdapterCheck> check_gguf_adapter(const LoraExport& from, const std::filesystem::path& path,
                                        std::span<const TokenText> texts);
Status check_peft_adapter(const LoraExport& from, const std::filesystem::path& directory);

}  // namespace understudy::s5
