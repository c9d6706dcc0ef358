// The weights of a Hugging Face model directory: model.safetensors, or the shards that
// model.safetensors.index.json names, mapped and not read. Owns the mappings, which the entries
// view. Immutable; thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/mapped_file.hpp"
#include "adapters/lm/safetensors.hpp"
#include "base/result.hpp"

namespace understudy::lm {

// Tensor -> the file that holds it, of the text of an index. corrupt: no such map, or a file's name
// that leads out of the directory.
Result<std::map<std::string, std::string>> parse_weights_index(std::string_view text);

class WeightsDirectory {
 public:
  // not_found: no weights, or a shard is missing; corrupt: a file is damaged, or does not hold what
  // the index says. All name the file.
  static Result<WeightsDirectory> open(const std::filesystem::path& directory);

  [[nodiscard]] const std::map<std::string, SafetensorsEntry>& entries() const { return entries_; }
  // Of all weights, for hashing.
  [[nodiscard]] const std::vector<std::filesystem::path>& files() const { return files_; }

 private:
  Status add(const std::filesystem::path& file, const std::vector<std::string>* wanted);

  std::vector<std::filesystem::path> files_;
  std::vector<MappedFile> mappings_;
  std::map<std::string, SafetensorsEntry> entries_;
};

}  // namespace understudy::lm
