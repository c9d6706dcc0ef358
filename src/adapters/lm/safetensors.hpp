// Safetensors files (8 bytes of head length, a JSON head, raw values): adapters for vLLM and
// transformers, our checkpoints (F32 only, written whole or not at all), and the weights of models
// in their own types, of which only the head is read. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::lm {

struct ViewedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

// `facts` become the head's __metadata__.
Status write_safetensors(const std::filesystem::path& path,
                         const std::map<std::string, std::string>& facts,
                         std::span<const ViewedTensor> tensors);

struct OwnedTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};
struct Safetensors {
  std::map<std::string, std::string> facts;
  std::map<std::string, OwnedTensor> tensors;
};

// A tensor where it lies in the file's bytes, which it views.
struct SafetensorsEntry {
  std::string type;  // as the file names it: "F32", "BF16"
  std::vector<std::int64_t> shape;
  std::string_view bytes;
};
struct SafetensorsHead {
  std::map<std::string, std::string> facts;
  std::map<std::string, SafetensorsEntry, std::less<>> entries;
};
// Of a whole file's bytes. corrupt: head and bytes do not agree, or two tensors share bytes;
// unsupported: a type of which we do not know the width.
Result<SafetensorsHead> view_safetensors(std::string_view bytes);

// corrupt when head and bytes do not agree, unsupported for other types than F32.
Result<Safetensors> read_safetensors(const std::filesystem::path& path);
Result<Safetensors> parse_safetensors(std::string_view bytes);

}  // namespace understudy::lm
