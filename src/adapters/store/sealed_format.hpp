// The bytes of a sealed file, version 1, as docs/formats/call_log.md gives them. Private to
// adapters/store; pure. All integers are little-endian.
//
//   header: magic 8 | version 4 | readers 4 | file id 16 | readers x (fingerprint 8 | sealed key
//   80)
//           | BLAKE2b-256 of all that 32
//   record: ciphertext length 4 | flags 1 | nonce 24 | MAC 16 | ciphertext
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/crypto/record_cipher.hpp"
#include "base/result.hpp"

namespace understudy::store::sealed_format {

inline constexpr std::string_view magic = "ussealed";
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t readers_max = 16;
inline constexpr std::size_t file_id_bytes = 16;
inline constexpr std::size_t fingerprint_bytes = 8;
inline constexpr std::size_t sealed_key_bytes = 80;
inline constexpr std::size_t preamble_bytes = 8 + 4 + 4 + file_id_bytes;
inline constexpr std::size_t record_fields_bytes = 4 + 1 + crypto::nonce_bytes;
inline constexpr std::size_t record_header_bytes = record_fields_bytes + crypto::mac_bytes;

enum Flag : std::uint8_t {
  compressed = 1,  // the plaintext is one zstd frame
  end_of_file = 2  // empty last record of a file that was closed in order
};

struct SealedKey {
  std::string fingerprint;  // raw bytes
  std::string sealed;
};

struct Header {
  std::string file_id;
  std::vector<SealedKey> keys;
};

std::string to_bytes(const Header& header);
std::size_t header_bytes(std::size_t readers);

// How many bytes the header has, from its preamble; corrupt or unsupported where it is none.
Result<std::size_t> header_bytes_of(std::string_view preamble);
Result<Header> parse_header(std::string_view bytes);

// Where a record stands: what it is cryptographically bound to.
struct Position {
  std::string file_id;
  std::uint64_t index = 0;
  std::string chain;  // hash of everything before: the header, then each record
};

struct RecordFields {
  std::uint32_t ciphertext_bytes = 0;
  std::uint8_t flags = 0;
  std::string nonce;
};

std::string to_bytes(const RecordFields& fields);
RecordFields parse_fields(std::string_view bytes);  // record_fields_bytes long

// What the MAC in front of a record covers, and what its ciphertext is bound to as well.
std::string bound_to(const Position& position, std::string_view fields);

}  // namespace understudy::store::sealed_format
