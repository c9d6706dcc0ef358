#include "adapters/store/segment_format.hpp"

#include "adapters/crypto/record_cipher.hpp"
#include "base/check.hpp"
#include "records/formats.hpp"

namespace understudy::store::segment_format {

namespace {

template <class Integer>
void put_integer(std::string& out, Integer number) {
  char bytes[sizeof number];
  for (std::size_t i = 0; i < sizeof number; ++i) {
    bytes[i] = static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
  }
  out.append(bytes, sizeof number);
}

template <class Integer>
Integer get_integer(std::string_view bytes) {
  Integer number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number |= static_cast<Integer>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return number;
}

std::size_t header_bytes(std::size_t readers) {
  return preamble_bytes +
         readers * (sealed_format::fingerprint_bytes + sealed_format::sealed_key_bytes) +
         crypto::hash_bytes;
}

}  // namespace

std::string to_bytes(const Header& header) {
  std::string out(sealed_format::magic);
  put_integer(out, version);
  put_integer(out, static_cast<std::uint32_t>(header.keys.size()));
  out += header.segment_id;
  out += static_cast<char>(header.cipher);
  out += static_cast<char>(header.kind);
  out.append(6, '\0');
  put_integer(out, static_cast<std::uint64_t>(header.made_at.value));
  for (const auto& key : header.keys) out += key.fingerprint + key.sealed;
  out += crypto::hash(out);
  CHECK(out.size() == header_bytes(header.keys.size()), "every field of the header has its size");
  return out;
}

Result<std::uint32_t> version_of(std::string_view preamble) {
  if (!preamble.starts_with(sealed_format::magic) || preamble.size() < 12) {
    return fail(ErrorCode::corrupt, "not a sealed file");
  }
  return get_integer<std::uint32_t>(preamble.substr(8, 4));
}

Result<std::size_t> header_bytes_of(std::string_view preamble) {
  const std::uint32_t found = TRY(version_of(preamble));
  TRY(check_format(FormatId::segment, found));
  if (found != version)
    return fail(ErrorCode::unsupported, "a segment of version 1, which is read another way");
  if (preamble.size() < preamble_bytes) return fail(ErrorCode::corrupt, "the header is cut short");
  const auto readers = get_integer<std::uint32_t>(preamble.substr(12, 4));
  if (readers == 0 || readers > sealed_format::readers_max) {
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
  Header header;
  header.segment_id = body.substr(16, segment_id_bytes);
  const auto cipher = crypto::parse_cipher(static_cast<std::uint8_t>(body[32]));
  if (!cipher) {
    return fail(ErrorCode::unsupported, "it is encrypted with a cipher that is not known here",
                "use a newer understudy");
  }
  header.cipher = *cipher;
  header.kind = static_cast<SegmentKind>(body[33]);
  if (header.kind != SegmentKind::calls && header.kind != SegmentKind::feedback) {
    return fail(ErrorCode::unsupported, "it holds a kind of records that is not known here",
                "use a newer understudy");
  }
  header.made_at.value = static_cast<std::int64_t>(get_integer<std::uint64_t>(body.substr(40, 8)));
  constexpr std::size_t entry = sealed_format::fingerprint_bytes + sealed_format::sealed_key_bytes;
  for (std::size_t at = preamble_bytes; at < body.size(); at += entry) {
    header.keys.push_back(
        {.fingerprint = std::string(body.substr(at, sealed_format::fingerprint_bytes)),
         .sealed = std::string(
             body.substr(at + sealed_format::fingerprint_bytes, sealed_format::sealed_key_bytes))});
  }
  return header;
}

void put(const RecordFields& fields, std::string& out) {
  put_integer(out, fields.body_bytes);
  put_integer(out, fields.metadata_bytes);
  put_integer(out, fields.salt);
}

RecordFields parse_fields(std::string_view bytes) {
  return {.body_bytes = get_integer<std::uint32_t>(bytes.substr(0, 4)),
          .metadata_bytes = get_integer<std::uint32_t>(bytes.substr(4, 4)),
          .salt = get_integer<std::uint64_t>(bytes.substr(8, 8))};
}

void bind(const Position& position, const RecordFields& fields, std::string& out) {
  out.assign(position.segment_id);
  put_integer(out, position.index);
  put_integer(out, version);
  out += position.chain;
  put(fields, out);
}

}  // namespace understudy::store::segment_format
