#include "adapters/lm/hf/tensor_bytes.hpp"

#include <cmath>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "base/check.hpp"

namespace understudy::lm {

namespace {

std::string to_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t side : shape) text += (text.empty() ? "" : " x ") + std::to_string(side);
  return text.empty() ? "one value" : text;
}

std::optional<StoredAs> stored_as(std::string_view type) {
  if (type == "F32") return StoredAs::f32;
  if (type == "F16") return StoredAs::f16;
  if (type == "BF16") return StoredAs::bf16;
  return std::nullopt;
}

std::vector<std::int64_t> expected_shape(const TensorRule& rule) {
  if (!rule.shape.empty()) return rule.shape;
  if (rule.rows == 1) return {rule.columns};
  return {rule.rows, rule.columns};
}

std::vector<std::byte> reordered(std::vector<std::byte> bytes, std::size_t rows,
                                 std::size_t heads) {
  const std::size_t row_bytes = bytes.size() / rows;
  const std::size_t head = rows / heads;
  std::vector<std::byte> out(bytes.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t in_head = row % head;
    const std::size_t from = row - in_head + (in_head % 2) * (head / 2) + in_head / 2;
    std::memcpy(out.data() + row * row_bytes, bytes.data() + from * row_bytes, row_bytes);
  }
  return out;
}

float changed(float value, Change change) {
  switch (change) {
    case Change::plus_one: return value + 1;
    case Change::negative_exponential: return -std::exp(value);
    case Change::none:
    case Change::pairs_adjacent: break;
  }
  return value;
}

std::vector<float> values_of(const StoredTensor& stored) {
  // Where a tensor lies in its file is no matter of alignment.
  const std::vector<std::byte> aligned(stored.bytes.begin(), stored.bytes.end());
  StoredTensor copy = stored;
  copy.bytes = aligned;
  return expand(copy);
}

std::vector<std::byte> as_f32(const StoredTensor& stored, Change change) {
  std::vector<float> values = values_of(stored);
  for (float& value : values) value = changed(value, change);
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// Row by row, so that only one of them is there in f32.
std::vector<std::byte> multiplied(const StoredTensor& stored,
                                  const std::vector<RowFactor>& factors) {
  std::vector<std::byte> out;
  out.reserve(stored.bytes.size());
  StoredTensor row = stored;
  row.rows = 1;
  for (const RowFactor& block : factors) {
    for (std::int64_t i = 0; i < block.rows; ++i) {
      row.bytes = stored.bytes.subspan(out.size(), stored.row_bytes());
      std::vector<float> values = values_of(row);
      for (float& value : values) {
        value = static_cast<float>(static_cast<double>(value) * block.factor);
      }
      const auto bytes =
          stored_bytes({.name = {}, .columns = row.columns, .type = row.type}, values);
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
  }
  CHECK(out.size() == stored.bytes.size(), "each row has its factor");
  return out;
}

}  // namespace

Result<ConvertedTensor> converted(const TensorRule& rule, const SafetensorsEntry& entry) {
  const auto type = stored_as(entry.type);
  if (!type) {
    return fail(ErrorCode::unsupported, "the tensor " + rule.hf + " is stored as " + entry.type,
                "F32, F16 and BF16 can be read: give the model before it was quantised.");
  }
  const std::vector<std::int64_t> expected = expected_shape(rule);
  if (entry.shape != expected) {
    return fail(ErrorCode::corrupt, "the tensor " + rule.hf + " is " + to_text(entry.shape) +
                                        " instead of " + to_text(expected));
  }
  const bool to_f32 = rule.rows == 1 || rule.in_f32;
  StoredTensor stored{.name = rule.gguf,
                      .type = *type,
                      .rows = rule.rows,
                      .columns = rule.columns,
                      .bytes = std::as_bytes(std::span(entry.bytes))};
  auto bytes = [stored, to_f32, change = rule.change, heads = rule.heads,
                factors = rule.factors]() {
    if (!factors.empty()) return multiplied(stored, factors);
    std::vector<std::byte> out =
        to_f32 ? as_f32(stored, change)
               : std::vector<std::byte>(stored.bytes.begin(), stored.bytes.end());
    if (change != Change::pairs_adjacent) return out;
    const std::int64_t rows = stored.rows == 1 ? stored.columns : stored.rows;  // or a bias
    return reordered(std::move(out), static_cast<std::size_t>(rows),
                     static_cast<std::size_t>(heads));
  };
  return ConvertedTensor{.what = {.name = rule.gguf,
                                  .rows = rule.rows,
                                  .columns = rule.columns,
                                  .type = to_f32 ? StoredAs::f32 : *type},
                         .bytes = std::move(bytes)};
}

}  // namespace understudy::lm
