#include "adapters/lm/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
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

struct Width {
  std::string_view type;
  std::size_t bytes;
};
constexpr std::array<Width, 15> widths = {{{"F64", 8},
                                           {"F32", 4},
                                           {"F16", 2},
                                           {"BF16", 2},
                                           {"F8_E4M3", 1},
                                           {"F8_E5M2", 1},
                                           {"I64", 8},
                                           {"I32", 4},
                                           {"I16", 2},
                                           {"I8", 1},
                                           {"U64", 8},
                                           {"U32", 4},
                                           {"U16", 2},
                                           {"U8", 1},
                                           {"BOOL", 1}}};

Result<SafetensorsEntry> read_entry(const std::string& name, const json::value& entry,
                                    std::string_view data) {
  SafetensorsEntry tensor{.type = json::string_or(entry, "dtype"), .shape = {}, .bytes = {}};
  const auto width = std::ranges::find(widths, tensor.type, &Width::type);
  if (width == widths.end()) {
    return fail(ErrorCode::unsupported,
                "safetensors: " + name + " is stored as \"" + tensor.type + "\"");
  }
  const json::array* shape = json::find_array(entry, "shape");
  const json::array* offsets = json::find_array(entry, "data_offsets");
  if (shape == nullptr || offsets == nullptr || offsets->size() != 2 ||
      !offsets->at(0).is_int64() || !offsets->at(1).is_int64()) {
    return damaged(name + " has no shape or no offsets");
  }
  for (const json::value& side : *shape) {
    if (!side.is_int64()) return damaged(name + " has a strange shape");
    tensor.shape.push_back(side.as_int64());
  }
  const std::int64_t begin = offsets->at(0).as_int64();
  const std::int64_t end = offsets->at(1).as_int64();
  const auto count = count_of(tensor.shape);
  if (begin >= 0 && end >= begin && std::cmp_greater(end, data.size())) {
    return damaged(name + " lies behind its end: the file is truncated");
  }
  if (begin < 0 || end < begin || !count ||
      static_cast<std::size_t>(end - begin) / width->bytes != *count ||
      static_cast<std::size_t>(end - begin) % width->bytes != 0) {
    return damaged(name + " does not fit its bytes");
  }
  tensor.bytes =
      data.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  return tensor;
}

Status check_apart(const SafetensorsHead& head) {
  std::vector<std::pair<const char*, const char*>> ranges;
  for (const auto& [name, entry] : head.entries) {
    if (entry.bytes.empty()) continue;
    ranges.emplace_back(entry.bytes.data(), entry.bytes.data() + entry.bytes.size());
  }
  std::ranges::sort(ranges);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) return damaged("two tensors share bytes");
  }
  return {};
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

Result<SafetensorsHead> view_safetensors(std::string_view bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) return damaged("too short");
  std::memcpy(&length, bytes.data(), sizeof length);
  bytes.remove_prefix(sizeof length);
  if (length > bytes.size() || length > head_bytes_max) return damaged("the head is cut off");
  const auto tree = json::parse(bytes.substr(0, length));
  if (!tree || !tree->is_object()) return damaged("the head is no JSON object");
  const std::string_view data = bytes.substr(length);
  SafetensorsHead head;
  for (const auto& entry : tree->as_object()) {
    const std::string name(entry.key());
    if (name == "__metadata__") {
      if (!entry.value().is_object()) return damaged("strange metadata");
      for (const auto& fact : entry.value().as_object()) {
        if (!fact.value().is_string()) return damaged("strange metadata");
        head.facts.emplace(fact.key(), fact.value().as_string().c_str());
      }
      continue;
    }
    head.entries.emplace(name, TRY(read_entry(name, entry.value(), data)));
  }
  TRY(check_apart(head));
  return head;
}

Result<Safetensors> parse_safetensors(std::string_view bytes) {
  SafetensorsHead head = TRY(view_safetensors(bytes));
  Safetensors file{.facts = std::move(head.facts), .tensors = {}};
  for (auto& [name, entry] : head.entries) {
    if (entry.type != "F32") {
      return fail(ErrorCode::unsupported, "safetensors: " + name + " is not F32");
    }
    OwnedTensor tensor{.shape = std::move(entry.shape), .values = {}};
    tensor.values.resize(entry.bytes.size() / sizeof(float));
    if (!entry.bytes.empty()) {
      std::memcpy(tensor.values.data(), entry.bytes.data(), entry.bytes.size());
    }
    file.tensors.emplace(name, std::move(tensor));
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
