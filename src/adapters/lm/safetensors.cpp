#include "adapters/lm/safetensors.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include "base/files.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");
constexpr std::size_t head_bytes_max = 100'000'000;  // the format's own limit

std::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::corrupt, "damaged safetensors file: " + what);
}

// The product of the shape, or nothing where it is absurd.
std::optional<std::size_t> count_of(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t side : shape) {
    if (side < 0) return std::nullopt;
    if (__builtin_mul_overflow(count, static_cast<std::size_t>(side), &count)) return std::nullopt;
  }
  return count;
}

Result<OwnedTensor> read_tensor(const std::string& name, const json::value& entry,
                                std::string_view data) {
  if (json::find_string(entry, "dtype").value_or("") != "F32") {
    return fail(ErrorCode::unsupported, "safetensors: " + name + " is not F32");
  }
  const json::array* shape = json::find_array(entry, "shape");
  const json::array* offsets = json::find_array(entry, "data_offsets");
  if (shape == nullptr || offsets == nullptr || offsets->size() != 2 ||
      !offsets->at(0).is_int64() || !offsets->at(1).is_int64()) {
    return damaged(name + " has no shape or no offsets");
  }
  OwnedTensor tensor;
  for (const json::value& side : *shape) {
    if (!side.is_int64()) return damaged(name + " has a strange shape");
    tensor.shape.push_back(side.as_int64());
  }
  const std::int64_t begin = offsets->at(0).as_int64();
  const std::int64_t end = offsets->at(1).as_int64();
  const auto count = count_of(tensor.shape);
  if (begin < 0 || end < begin || std::cmp_greater(end, data.size()) || !count ||
      *count != static_cast<std::size_t>(end - begin) / sizeof(float) ||
      (end - begin) % static_cast<std::int64_t>(sizeof(float)) != 0) {
    return damaged(name + " does not fit its bytes");
  }
  tensor.values.resize(*count);
  if (*count > 0) {
    std::memcpy(tensor.values.data(), data.data() + begin, *count * sizeof(float));
  }
  return tensor;
}

}  // namespace

Status write_safetensors(const std::filesystem::path& path,
                         const std::map<std::string, std::string>& facts,
                         std::span<const ViewedTensor> tensors) {
  json::object head;
  json::object metadata;
  for (const auto& [key, value] : facts) metadata[key] = value;
  if (!metadata.empty()) head["__metadata__"] = std::move(metadata);
  std::size_t end = 0;
  for (const ViewedTensor& tensor : tensors) {
    const std::size_t begin = end;
    end += tensor.values.size_bytes();
    head[tensor.name] =
        json::object{{"dtype", "F32"},
                     {"shape", json::array(tensor.shape.begin(), tensor.shape.end())},
                     {"data_offsets", json::array{begin, end}}};
  }
  std::string text = json::to_text(head);
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string content(sizeof(std::uint64_t), '\0');
  const std::uint64_t length = text.size();
  std::memcpy(content.data(), &length, sizeof length);
  content.reserve(content.size() + text.size() + end);
  content += text;
  for (const ViewedTensor& tensor : tensors) {
    content.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes());
  }
  return write_file_atomically(path, content);
}

Result<Safetensors> parse_safetensors(std::string_view bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) return damaged("too short");
  std::memcpy(&length, bytes.data(), sizeof length);
  bytes.remove_prefix(sizeof length);
  if (length > bytes.size() || length > head_bytes_max) return damaged("the head is cut off");
  const auto head = json::parse(bytes.substr(0, length));
  if (!head || !head->is_object()) return damaged("the head is no JSON object");
  const std::string_view data = bytes.substr(length);
  Safetensors file;
  for (const auto& entry : head->as_object()) {
    const std::string name(entry.key());
    if (name == "__metadata__") {
      if (!entry.value().is_object()) return damaged("strange metadata");
      for (const auto& fact : entry.value().as_object()) {
        if (!fact.value().is_string()) return damaged("strange metadata");
        file.facts.emplace(fact.key(), fact.value().as_string().c_str());
      }
      continue;
    }
    file.tensors.emplace(name, TRY(read_tensor(name, entry.value(), data)));
  }
  return file;
}

Result<Safetensors> read_safetensors(const std::filesystem::path& path) {
  const std::string bytes = TRY(read_file(path));
  auto file = parse_safetensors(bytes);
  if (!file) return fail(file.error().within(path.string()));
  return file;
}

}  // namespace understudy::lm
