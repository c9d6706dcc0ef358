// The bytes of a call log's segment, version 2, as docs/formats/call_log.md gives them. Private to
// adapters/store; pure. All integers are little-endian.
//
//   header: magic 8 | version 4 | readers 4 | segment id 16 | cipher 1 | content 1 | zeros 6
//           | made at (us) 8 | readers x (fingerprint 8 | sealed metadata key 80) | BLAKE2b-256 32
//   record: body length 4 | metadata length 4 | salt 8 | front MAC T | metadata | content
// T is the cipher's tag (tag_bytes). `metadata` and `content` are ciphertexts; content may be
// absent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/crypto/segment_cipher.hpp"
#include "adapters/store/sealed_format.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace understudy::store::segment_format {

inline constexpr std::uint32_t version = 2;
inline constexpr std::size_t segment_id_bytes = 16;
inline constexpr std::size_t preamble_bytes = 8 + 4 + 4 + segment_id_bytes + 8 + 8;
inline constexpr std::size_t record_fields_bytes = 4 + 4 + 8;

enum class SegmentKind : std::uint8_t { calls = 1, feedback = 2 };

// Parts of a record that have a nonce of their own.
enum Part : std::uint8_t { front = 0, metadata = 1, content = 2 };

// The first byte of a record's metadata says what it is.
enum class RecordKind : std::uint8_t { call = 1, tenant = 2, feedback = 3, anchor = 4, end = 15 };

// The first byte of a record's content says how the rest is packed.
enum class ContentForm : std::uint8_t { plain = 0, zstd = 1 };

struct Header {
  std::string segment_id;
  crypto::CipherKind cipher = crypto::CipherKind::aegis256;
  SegmentKind kind = SegmentKind::calls;
  UnixMicros made_at;
  std::vector<sealed_format::SealedKey> keys;
};

std::string to_bytes(const Header& header);
// Version of any sealed file, from its first 12 bytes; corrupt where it is none.
Result<std::uint32_t> version_of(std::string_view preamble);
Result<std::size_t> header_bytes_of(std::string_view preamble);  // preamble_bytes long
Result<Header> parse_header(std::string_view bytes);

struct RecordFields {
  std::uint32_t body_bytes = 0;      // of what follows the front MAC
  std::uint32_t metadata_bytes = 0;  // of that, the metadata; the rest is content
  std::uint64_t salt = 0;
};

void put(const RecordFields& fields, std::string& out);
RecordFields parse_fields(std::string_view bytes);  // record_fields_bytes long

// Where a record stands: what it is cryptographically bound to.
struct Position {
  std::string segment_id;
  std::uint64_t index = 0;
  std::string chain;  // H of the header, then of the chain and each record's last metadata tag
};

// Replaces `out` by what all parts of the record are bound to: the position, then its fields.
void bind(const Position& position, const RecordFields& fields, std::string& out);

}  // namespace understudy::store::segment_format
