#include "adapters/store/field_codec.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "base/uuid.hpp"

namespace understudy::store {

namespace {

enum Type : unsigned { integer_type = 0, bytes_type = 1, number_type = 2, uuid_type = 3 };

constexpr unsigned tag_max = 1U << 20U;

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

constexpr std::size_t varint_bytes_max = 10;
using VarintBytes = std::array<char, varint_bytes_max>;

// How many bytes it took.
std::size_t write_varint(std::uint64_t number, char* at) {
  std::size_t size = 0;
  for (; number >= 0x80; number >>= 7U)
    at[size++] = static_cast<char>(static_cast<unsigned char>(number | 0x80U));
  at[size++] = static_cast<char>(static_cast<unsigned char>(number));
  return size;
}

// Two of them: one growth of `out` for both.
void put_pair(std::string& out, std::uint64_t first, std::uint64_t second) {
  std::array<char, 2 * varint_bytes_max> bytes;
  const std::size_t size = write_varint(first, bytes.data());
  out.append(bytes.data(), size + write_varint(second, bytes.data() + size));
}

std::unexpected<Error> cut() { return fail(ErrorCode::corrupt, "its metadata is cut short"); }

}  // namespace

void put_varint(std::string& out, std::uint64_t number) {
  VarintBytes bytes;
  out.append(bytes.data(), write_varint(number, bytes.data()));
}

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

void FieldWriter::integer(unsigned tag, std::int64_t value) {
  put_pair(out_, tag * 4 + integer_type, zigzag(value));
}

void FieldWriter::text(unsigned tag, std::string_view value) {
  std::array<char, uuid_bytes> uuid{};
  if (!parse_uuid(value, uuid)) return bytes(tag, value);
  put_varint(out_, tag * 4 + uuid_type);
  out_.append(uuid.data(), uuid.size());
}

void FieldWriter::bytes(unsigned tag, std::string_view value) {
  if (value.empty()) return;
  put_pair(out_, tag * 4 + bytes_type, value.size());
  out_ += value;
}

void FieldWriter::number(unsigned tag, double value) {
  put_varint(out_, tag * 4 + number_type);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (unsigned i = 0; i < 8; ++i) out_ += static_cast<char>((bits >> (8 * i)) & 0xffU);
}

std::string Field::text() const { return is_uuid ? uuid_text(bytes) : std::string(bytes); }

Result<std::optional<Field>> FieldReader::next() {
  if (bytes_.empty()) return std::nullopt;
  const auto key = take_varint(bytes_);
  if (!key || *key / 4 > tag_max) return cut();
  Field field{.tag = static_cast<unsigned>(*key / 4), .integer = 0, .number = 0, .bytes = {}};
  std::size_t size = 0;
  switch (*key % 4) {
    case integer_type: {
      const auto value = take_varint(bytes_);
      if (!value) return cut();
      field.integer = unzigzag(*value);
      return field;
    }
    case bytes_type: {
      const auto length = take_varint(bytes_);
      if (!length || *length > bytes_.size()) return cut();
      size = static_cast<std::size_t>(*length);
      break;
    }
    case number_type: size = 8; break;
    default: size = uuid_bytes; field.is_uuid = true;
  }
  if (size > bytes_.size()) return cut();
  field.bytes = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  if (*key % 4 == number_type) {
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < 8; ++i) {
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(field.bytes[i])) << (8 * i);
    }
    field.number = std::bit_cast<double>(bits);
  }
  return field;
}

}  // namespace understudy::store
