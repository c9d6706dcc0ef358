#include "adapters/store/sealed_format.hpp"

#include "base/check.hpp"
#include "records/formats.hpp"

namespace understudy::store::sealed_format {

namespace {

template <class Integer>
void put(std::string& out, Integer number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out += static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
  }
}

std::uint32_t get_u32(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return number;
}

}  // namespace

std::size_t header_bytes(std::size_t readers) {
  return preamble_bytes + readers * (fingerprint_bytes + sealed_key_bytes) + crypto::hash_bytes;
}

std::string to_bytes(const Header& header) {
  std::string out(magic);
  put(out, version);
  put(out, static_cast<std::uint32_t>(header.keys.size()));
  out += header.file_id;
  for (const SealedKey& key : header.keys) out += key.fingerprint + key.sealed;
  out += crypto::hash(out);
  CHECK(out.size() == header_bytes(header.keys.size()), "every field of the header has its size");
  return out;
}

Result<std::size_t> header_bytes_of(std::string_view preamble) {
  if (!preamble.starts_with(magic.substr(0, preamble.size())))
    return fail(ErrorCode::corrupt, "not a sealed file");
  if (preamble.size() < preamble_bytes) return fail(ErrorCode::corrupt, "the header is cut short");
  const std::uint32_t found = get_u32(preamble.substr(8));
  TRY(check_format(FormatId::sealed, found));
  const std::uint32_t readers = get_u32(preamble.substr(12));
  if (readers == 0 || readers > readers_max) {
    return fail(ErrorCode::corrupt, "the header names " + std::to_string(readers) + " readers");
  }
  return header_bytes(readers);
}

Result<Header> parse_header(std::string_view bytes) {
  if (bytes.size() != TRY(header_bytes_of(bytes))) {
    return fail(ErrorCode::corrupt, "the header has another length than it says");
  }
  const std::string_view body = bytes.substr(0, bytes.size() - crypto::hash_bytes);
  if (crypto::hash(body) != bytes.substr(body.size())) {
    return fail(ErrorCode::corrupt, "the header fails its checksum");
  }
  Header header{.file_id = std::string(body.substr(16, file_id_bytes)), .keys = {}};
  for (std::size_t at = preamble_bytes; at < body.size();
       at += fingerprint_bytes + sealed_key_bytes) {
    header.keys.push_back(
        {.fingerprint = std::string(body.substr(at, fingerprint_bytes)),
         .sealed = std::string(body.substr(at + fingerprint_bytes, sealed_key_bytes))});
  }
  return header;
}

std::string to_bytes(const RecordFields& fields) {
  std::string out;
  put(out, fields.ciphertext_bytes);
  put(out, fields.flags);
  out += fields.nonce;
  return out;
}

RecordFields parse_fields(std::string_view bytes) {
  return {.ciphertext_bytes = get_u32(bytes),
          .flags = static_cast<std::uint8_t>(bytes[4]),
          .nonce = std::string(bytes.substr(5, crypto::nonce_bytes))};
}

std::string bound_to(const Position& position, std::string_view fields) {
  std::string out = position.file_id;
  put(out, position.index);
  put(out, version);
  out += position.chain;
  out += fields;
  return out;
}

}  // namespace understudy::store::sealed_format
