#include "adapters/lm/hf/weights_directory.hpp"

#include <system_error>
#include <utility>

#include "base/files.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

constexpr const char* single_name = "model.safetensors";
constexpr const char* index_name = "model.safetensors.index.json";
constexpr std::size_t shards_max = 1000;

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && !name.contains('/') &&
         !name.contains('\0');
}

std::unexpected<Error> no_weights(const std::filesystem::path& directory) {
  std::error_code error;
  const bool pickled = std::filesystem::exists(directory / "pytorch_model.bin", error) ||
                       std::filesystem::exists(directory / "pytorch_model.bin.index.json", error);
  return fail(ErrorCode::not_found,
              directory.string() + " holds neither " + single_name + " nor " + index_name,
              pickled
                  ? "Its pytorch_model.bin can run code when it is read, so it is not: save the "
                    "model as safetensors."
                  : "Fetch the weights, too: the files that end in .safetensors.");
}

}  // namespace

Result<std::map<std::string, std::string>> parse_weights_index(std::string_view text) {
  const json::value tree = TRY(json::parse(text));
  const json::object* map = json::find_object(tree, "weight_map");
  if (map == nullptr || map->empty()) {
    return fail(ErrorCode::corrupt, "it has no \"weight_map\"");
  }
  std::map<std::string, std::string> files;
  for (const auto& entry : *map) {
    if (!entry.value().is_string()) {
      return fail(ErrorCode::corrupt,
                  "\"weight_map\" names no file for " + std::string(entry.key()));
    }
    const std::string file(entry.value().as_string());
    if (!is_plain_name(file)) {
      return fail(ErrorCode::corrupt,
                  "it names \"" + file + "\", which is no file of the directory itself",
                  "Do not use this directory: an index has no reason to lead out of it.");
    }
    files.emplace(entry.key(), file);
  }
  return files;
}

Status WeightsDirectory::add(const std::filesystem::path& file,
                             const std::vector<std::string>* wanted) {
  auto mapped = MappedFile::open(file);
  if (!mapped && mapped.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, "the weights are incomplete: there is no " + file.string(),
                "Fetch all files of the model.");
  }
  mappings_.push_back(TRY(std::move(mapped)));
  files_.push_back(file);
  auto head = view_safetensors(mappings_.back().text());
  if (!head) return fail(head.error().within(file.string()));
  if (wanted == nullptr) {
    for (auto& [name, entry] : head->entries) entries_.emplace(name, std::move(entry));
    return {};
  }
  for (const std::string& name : *wanted) {
    const auto found = head->entries.find(name);
    if (found == head->entries.end()) {
      return fail(ErrorCode::corrupt,
                  file.string() + " lacks the tensor " + name + ", which the index says it holds",
                  "Fetch all files of the model again.");
    }
    entries_.emplace(name, std::move(found->second));
  }
  return {};
}

Result<WeightsDirectory> WeightsDirectory::open(const std::filesystem::path& directory) {
  WeightsDirectory weights;
  std::error_code error;
  const std::filesystem::path index = directory / index_name;
  if (!std::filesystem::exists(index, error)) {
    if (!std::filesystem::exists(directory / single_name, error)) return no_weights(directory);
    TRY(weights.add(directory / single_name, nullptr));
    return weights;
  }
  const auto map = parse_weights_index(TRY(read_file(index)));
  if (!map) return fail(map.error().within(index.string()));
  std::map<std::string, std::vector<std::string>> tensors_of;
  for (const auto& [tensor, file] : *map) tensors_of[file].push_back(tensor);
  if (tensors_of.size() > shards_max) {
    return fail(ErrorCode::corrupt, index.string() + " names too many files");
  }
  for (const auto& [file, tensors] : tensors_of) TRY(weights.add(directory / file, &tensors));
  return weights;
}

}  // namespace understudy::lm
