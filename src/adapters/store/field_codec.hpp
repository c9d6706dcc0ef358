// Tagged binary fields, the form of a record's metadata: varint(tag * 4 + type), then the value.
// Types: 0 zigzag varint, 1 bytes (varint length first), 2 IEEE double, 3 a UUID's 16 bytes.
// Readers skip tags that they do not know, so fields can be added without a new format version.
// Private to adapters/store; pure. About 100 ns for a call; JSON would take ten times that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy::store {

void put_varint(std::string& out, std::uint64_t number);
// Takes one off the front of `bytes`; nothing where there is none.
std::optional<std::uint64_t> take_varint(std::string_view& bytes);

class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}
  void integer(unsigned tag, std::int64_t value);    // also zero
  void text(unsigned tag, std::string_view value);   // nothing where it is empty; UUIDs as 16 bytes
  void bytes(unsigned tag, std::string_view value);  // nothing where it is empty
  void number(unsigned tag, double value);

 private:
  std::string& out_;
};

struct Field {
  unsigned tag = 0;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view bytes;  // of the text that is read
  bool is_uuid = false;

  [[nodiscard]] std::string text() const;  // of bytes or a UUID
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : bytes_(bytes) {}
  // The next field, or nothing at the end; corrupt for what is no field.
  Result<std::optional<Field>> next();

 private:
  std::string_view bytes_;
};

}  // namespace understudy::store
