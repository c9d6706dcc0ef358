#include "adapters/crypto/keys.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "adapters/crypto/key_file.hpp"
#include "base/check.hpp"
#include "base/ids.hpp"

namespace understudy::crypto {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_bytes = 32;
constexpr KeyFile signing_public = {.label = "understudy public key: admin (Ed25519 signatures)",
                                    .secrecy = KeySecrecy::open};
constexpr KeyFile signing_secret = {.label = "understudy secret key: admin (Ed25519 signatures)",
                                    .passphrase_of = "admin"};
constexpr KeyFile pseudonym_kind = {.label = "understudy secret key: pseudonyms (BLAKE2b)"};

static_assert(crypto_box_SECRETKEYBYTES == key_bytes && crypto_box_PUBLICKEYBYTES == key_bytes);
static_assert(crypto_sign_SEEDBYTES == key_bytes && crypto_sign_PUBLICKEYBYTES == key_bytes);

void ensure_ready() {
  // Thread-safe and cheap when done already; it fails only where the system has no randomness.
  CHECK(sodium_init() >= 0, "libsodium found no source of randomness");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string to_hex(std::string_view bytes) {
  std::string hex(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), bytes_of(bytes), bytes.size());
  hex.pop_back();
  return hex;
}

// BLAKE2b's shortest digest is 16 bytes; a shorter one is its beginning.
std::string keyed_hash(std::string_view key, std::string_view message, std::size_t digest_bytes) {
  ensure_ready();
  CHECK(digest_bytes >= 1 && digest_bytes <= crypto_generichash_BYTES_MAX,
        "BLAKE2b digests have at most 64 bytes");
  std::string digest(std::max<std::size_t>(digest_bytes, crypto_generichash_BYTES_MIN), '\0');
  crypto_generichash(bytes_of(digest), digest.size(), bytes_of(message), message.size(),
                     key.empty() ? nullptr : bytes_of(key), key.size());
  digest.resize(digest_bytes);
  return digest;
}

std::string sealing_label(Role role, std::string_view secrecy) {
  return "understudy " + std::string(secrecy) + " key: " + std::string(to_string(role)) +
         " (X25519)";
}

fs::path file_of(const fs::path& keys_dir, Role role, std::string_view extension) {
  return keys_dir / (std::string(to_string(role)) + std::string(extension));
}

Status write_role_keys(const fs::path& keys_dir, Role role) {
  std::string public_bytes(key_bytes, '\0');
  std::string secret_bytes(key_bytes, '\0');
  crypto_box_keypair(bytes_of(public_bytes), bytes_of(secret_bytes));
  TRY(write_key_file(file_of(keys_dir, role, ".key"), {.label = sealing_label(role, "secret")},
                     SecretText(std::move(secret_bytes))));
  return write_key_file(file_of(keys_dir, role, ".pub"),
                        {.label = sealing_label(role, "public"), .secrecy = KeySecrecy::open},
                        SecretText(std::move(public_bytes)));
}

Status write_all_keys(const fs::path& keys_dir) {
  for (const Role role : all_roles) TRY(write_role_keys(keys_dir, role));
  std::string seed(key_bytes, '\0');
  std::string public_bytes(key_bytes, '\0');
  std::string expanded(crypto_sign_SECRETKEYBYTES, '\0');
  randombytes_buf(seed.data(), seed.size());
  crypto_sign_seed_keypair(bytes_of(public_bytes), bytes_of(expanded), bytes_of(seed));
  wipe(expanded);
  TRY(write_key_file(keys_dir / "admin-sign.key", signing_secret, SecretText(std::move(seed))));
  TRY(write_key_file(keys_dir / "admin-sign.pub", signing_public,
                     SecretText(std::move(public_bytes))));
  std::string pseudonym(key_bytes, '\0');
  randombytes_buf(pseudonym.data(), pseudonym.size());
  return write_key_file(keys_dir / "pseudonym.key", pseudonym_kind,
                        SecretText(std::move(pseudonym)));
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::curator: return "curator";
    case Role::trainer: return "trainer";
    case Role::auditor: return "auditor";
    case Role::admin: return "admin";
  }
  return "admin";
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : all_roles) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

std::string PublicKey::fingerprint() const { return to_hex(raw_fingerprint()); }

std::string PublicKey::raw_fingerprint() const {
  const std::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return blake2b(raw).substr(0, fingerprint_bytes);
}

Status init_keys(const fs::path& keys_dir) {
  ensure_ready();
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(keys_dir, error)) {
    return fail(ErrorCode::conflict, entry.path().string() + " exists already",
                "keys are never overwritten; use another --home, or move the old keys away");
  }
  // A set made half (power cut) would be neither usable nor replaceable, so the whole folder is
  // made beside and then renamed over the empty one.
  const fs::path fresh = keys_dir.string() + ".new-" + make_uuid7();
  fs::create_directories(keys_dir.parent_path(), error);
  if (::mkdir(fresh.c_str(), 0700) != 0) {
    const std::error_code cause(errno, std::generic_category());
    return fail(ErrorCode::denied, "cannot create " + fresh.string() + ": " + cause.message());
  }
  if (Status written = write_all_keys(fresh); !written) {
    fs::remove_all(fresh, error);
    return written;
  }
  fs::rename(fresh, keys_dir, error);
  if (error) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    return fail(ErrorCode::conflict, "cannot create " + keys_dir.string() + ": " + error.message());
  }
  return {};
}

Result<PublicKey> load_public_key(const fs::path& keys_dir, Role role) {
  ensure_ready();
  const std::string label = sealing_label(role, "public");
  const SecretText bytes = TRY(read_key_file(file_of(keys_dir, role, ".pub"),
                                             {.label = label, .secrecy = KeySecrecy::open}));
  PublicKey key{.name = std::string(to_string(role))};
  std::memcpy(key.bytes.data(), bytes.reveal().data(), key_bytes);
  std::string probe(crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal(bytes_of(probe), nullptr, 0, key.bytes.data()) != 0) {
    return fail(ErrorCode::corrupt,
                file_of(keys_dir, role, ".pub").string() + " holds no usable X25519 key",
                "put the right file back from your backup");
  }
  return key;
}

Result<SecretKey> load_secret_key(const fs::path& keys_dir, Role role) {
  ensure_ready();
  const std::string label = sealing_label(role, "secret");
  SecretText bytes = TRY(read_key_file(file_of(keys_dir, role, ".key"),
                                       {.label = label, .passphrase_of = to_string(role)}));
  PublicKey open{.name = std::string(to_string(role))};
  crypto_scalarmult_base(open.bytes.data(), bytes_of(bytes.reveal()));
  return SecretKey{.public_key = std::move(open), .bytes = std::move(bytes)};
}

Result<SecretText> load_pseudonym_key(const fs::path& keys_dir) {
  ensure_ready();
  return read_key_file(keys_dir / "pseudonym.key", pseudonym_kind);
}

std::string seal(std::string_view plain, const PublicKey& reader) {
  ensure_ready();
  std::string sealed(plain.size() + crypto_box_SEALBYTES, '\0');
  const int outcome =
      crypto_box_seal(bytes_of(sealed), bytes_of(plain), plain.size(), reader.bytes.data());
  CHECK(outcome == 0, "sealing to a valid public key succeeds");
  return sealed;
}

Result<std::string> open_sealed(std::string_view sealed, const SecretKey& reader) {
  ensure_ready();
  if (sealed.size() < crypto_box_SEALBYTES) {
    return fail(ErrorCode::corrupt, "a sealed box is shorter than its own header");
  }
  std::string plain(sealed.size() - crypto_box_SEALBYTES, '\0');
  const int outcome =
      crypto_box_seal_open(bytes_of(plain), bytes_of(sealed), sealed.size(),
                           reader.public_key.bytes.data(), bytes_of(reader.bytes.reveal()));
  if (outcome != 0) {
    return fail(ErrorCode::denied, "the key of " + reader.public_key.name + " (" +
                                       reader.public_key.fingerprint() +
                                       ") does not open this sealed box");
  }
  return plain;
}

Result<std::string> sign(const fs::path& keys_dir, std::string_view message) {
  ensure_ready();
  const SecretText seed = TRY(read_key_file(keys_dir / "admin-sign.key", signing_secret));
  std::string public_bytes(key_bytes, '\0');
  std::string expanded(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_seed_keypair(bytes_of(public_bytes), bytes_of(expanded), bytes_of(seed.reveal()));
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(bytes_of(signature), nullptr, bytes_of(message), message.size(),
                       bytes_of(expanded));
  wipe(expanded);
  return to_hex(signature);
}

Status verify_signature(const fs::path& keys_dir, std::string_view message,
                        std::string_view signature_hex) {
  ensure_ready();
  const SecretText public_bytes = TRY(read_key_file(keys_dir / "admin-sign.pub", signing_public));
  std::string signature(crypto_sign_BYTES, '\0');
  std::size_t decoded = 0;
  const bool readable = sodium_hex2bin(bytes_of(signature), signature.size(), signature_hex.data(),
                                       signature_hex.size(), nullptr, &decoded, nullptr) == 0 &&
                        decoded == crypto_sign_BYTES &&
                        signature_hex.size() == 2 * crypto_sign_BYTES;
  if (!readable ||
      crypto_sign_verify_detached(bytes_of(signature), bytes_of(message), message.size(),
                                  bytes_of(public_bytes.reveal())) != 0) {
    return fail(ErrorCode::denied, "the signature is not the admin's",
                "it was changed after signing, or signed with another home's key");
  }
  return {};
}

std::string hex(std::string_view bytes) { return to_hex(bytes); }

std::string unhex(std::string_view digits) {
  std::string bytes(digits.size() / 2, '\0');
  std::size_t decoded = 0;
  const char* end = nullptr;
  const bool whole = sodium_hex2bin(bytes_of(bytes), bytes.size(), digits.data(), digits.size(),
                                    nullptr, &decoded, &end) == 0 &&
                     end == digits.data() + digits.size();
  return whole && decoded == bytes.size() ? bytes : std::string();
}

std::string blake2b(std::string_view bytes, std::size_t digest_bytes) {
  return keyed_hash({}, bytes, digest_bytes);
}

std::string blake2b_hex(std::string_view bytes, std::size_t digest_bytes) {
  return to_hex(blake2b(bytes, digest_bytes));
}

std::string hmac_hex(const SecretText& key, std::string_view message, std::size_t digest_bytes) {
  CHECK(key.reveal().size() >= crypto_generichash_KEYBYTES_MIN &&
            key.reveal().size() <= crypto_generichash_KEYBYTES_MAX,
        "BLAKE2b keys have 16 to 64 bytes");
  return to_hex(keyed_hash(key.reveal(), message, digest_bytes));
}

std::uint64_t siphash(const SecretText& key, std::string_view message) {
  static_assert(siphash_key_bytes == crypto_shorthash_KEYBYTES);
  CHECK(key.reveal().size() == siphash_key_bytes, "the caller cut the key to this length");
  std::array<unsigned char, crypto_shorthash_BYTES> digest{};
  crypto_shorthash(digest.data(), reinterpret_cast<const unsigned char*>(message.data()),
                   message.size(), reinterpret_cast<const unsigned char*>(key.reveal().data()));
  std::uint64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return number;
}

}  // namespace understudy::crypto
