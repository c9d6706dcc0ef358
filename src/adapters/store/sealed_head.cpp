#include "adapters/store/sealed_head.hpp"

#include <algorithm>
#include <cstdint>

#include "adapters/crypto/record_cipher.hpp"

namespace understudy::store {

Result<std::string> read_head(const InputFile& file, std::size_t preamble_bytes,
                              HeadBytesOf bytes_of) {
  const std::string preamble = TRY(
      file.read(0, static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), preamble_bytes))));
  const std::size_t size = TRY(bytes_of(preamble));
  // A file gets its name when its header is on the disk, so a short one did not come from a crash.
  if (file.size() < size) return fail(ErrorCode::corrupt, "the header is cut short");
  return file.read(0, size);
}

Result<SecretText> open_data_key(const std::vector<sealed_format::SealedKey>& keys,
                                 std::span<const crypto::SecretKey> readers) {
  std::string names;
  for (const sealed_format::SealedKey& key : keys) {
    for (const crypto::SecretKey& reader : readers) {
      if (key.fingerprint != reader.public_key.raw_fingerprint()) continue;
      std::string data_key = TRY(crypto::open_sealed(key.sealed, reader));
      if (data_key.size() == crypto::data_key_bytes) return SecretText(std::move(data_key));
      return fail(ErrorCode::corrupt, "the sealed key has the wrong length");
    }
    names += (names.empty() ? "" : ", ") + crypto::hex(key.fingerprint);
  }
  const std::string here = readers.empty()
                               ? "there is no key here"
                               : "the key of " + readers.front().public_key.name + " here is " +
                                     readers.front().public_key.fingerprint();
  return fail(ErrorCode::denied, "it is sealed to " + names + ", and " + here,
              "use the home (or the backup of its keys/) that this file was written for");
}

}  // namespace understudy::store
