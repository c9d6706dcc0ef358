#include "adapters/crypto/role_keys.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <system_error>

#include "adapters/crypto/key_file.hpp"
#include "adapters/crypto/passphrase.hpp"
#include "adapters/crypto/tenant_keys.hpp"

namespace understudy::crypto {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_bytes = 32;
constexpr std::string_view archived_suffix = ".key.sealed";

std::string label(Role role, std::string_view secrecy) {
  return "understudy " + std::string(secrecy) + " key: " + std::string(to_string(role)) +
         " (X25519)";
}
std::string archived_label(std::string_view role) {
  return "understudy secret key: former " + std::string(role) +
         " (X25519), sealed to the present one";
}

fs::path file_of(const fs::path& keys_dir, Role role, std::string_view extension) {
  return keys_dir / (std::string(to_string(role)) + std::string(extension));
}
fs::path archive_of(const fs::path& keys_dir) { return keys_dir / "archive"; }

SecretKey with_public(std::string_view name, SecretText bytes) {
  PublicKey open{.name = std::string(name)};
  crypto_scalarmult_base(open.bytes.data(),
                         reinterpret_cast<const unsigned char*>(bytes.reveal().data()));
  return SecretKey{.public_key = std::move(open), .bytes = std::move(bytes)};
}

Status archive(const fs::path& keys_dir, const SecretKey& former, const PublicKey& present) {
  const std::string& role = former.public_key.name;
  const fs::path path = archive_of(keys_dir) / (role + "-" + former.public_key.fingerprint() +
                                                std::string(archived_suffix));
  const std::string text = archived_label(role);
  return replace_key_file(path, {.label = text, .bytes = key_bytes + crypto_box_SEALBYTES},
                          SecretText(seal(former.bytes.reveal(), present)));
}

struct FileTime {
  fs::path path;
  fs::file_time_type written;
};

std::vector<FileTime> archived_files(const fs::path& keys_dir, std::string_view role) {
  std::vector<FileTime> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(archive_of(keys_dir), error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(std::string(role) + "-") && name.ends_with(archived_suffix)) {
      files.push_back({entry.path(), entry.last_write_time(error)});
    }
  }
  std::ranges::sort(files, std::ranges::greater{}, &FileTime::written);
  return files;
}

std::vector<std::string> archived_fingerprints(const fs::path& keys_dir, std::string_view role) {
  std::vector<std::string> fingerprints;
  for (const FileTime& file : archived_files(keys_dir, role)) {
    fingerprints.push_back(
        file.path.filename().string().substr(role.size() + 1, 2 * fingerprint_bytes));
  }
  return fingerprints;
}

}  // namespace

Result<Rotation> rotate_role_keys(const fs::path& keys_dir, Role role) {
  if (role == Role::admin) {
    return fail(ErrorCode::unsupported, "the admin's key signs policies and seals nothing",
                "to replace it, make a new home and publish the policies there again");
  }
  const fs::path secret_path = file_of(keys_dir, role, ".key");
  const std::string secret_label = label(role, "secret");
  const KeyFile secret_kind{.label = secret_label, .passphrase_of = to_string(role)};
  std::optional<SecretText> passphrase;
  if (is_protected(secret_path)) passphrase = TRY(ask_passphrase(to_string(role)));
  const SecretKey before =
      passphrase ? with_public(to_string(role),
                               TRY(read_protected_key_file(secret_path, secret_kind, *passphrase)))
                 : TRY(load_secret_key(keys_dir, role));
  std::vector<SecretKey> former = TRY(former_keys(keys_dir, before));
  former.insert(former.begin(), before);

  std::string secret_bytes(key_bytes, '\0');
  std::string public_bytes(key_bytes, '\0');
  crypto_box_keypair(reinterpret_cast<unsigned char*>(public_bytes.data()),
                     reinterpret_cast<unsigned char*>(secret_bytes.data()));
  const SecretKey after = with_public(to_string(role), SecretText(std::move(secret_bytes)));

  std::error_code error;
  fs::create_directories(archive_of(keys_dir), error);
  fs::permissions(archive_of(keys_dir), fs::perms::owner_all, error);
  if (error) {
    return fail(ErrorCode::denied,
                "cannot create " + archive_of(keys_dir).string() + ": " + error.message());
  }
  // The just replaced key first and the older ones last, after the new key is in force: until then
  // they must open with the old one.
  TRY(archive(keys_dir, before, after.public_key));
  TRY(passphrase ? replace_protected_key_file(secret_path, secret_kind, after.bytes, *passphrase)
                 : replace_key_file(secret_path, secret_kind, after.bytes));
  const std::string public_label = label(role, "public");
  TRY(replace_key_file(file_of(keys_dir, role, ".pub"),
                       {.label = public_label, .secrecy = KeySecrecy::open},
                       SecretText(std::move(public_bytes))));
  for (const SecretKey& key : former) TRY(archive(keys_dir, key, after.public_key));
  Rotation rotation{.before = before.public_key, .after = after.public_key};
  if (role == Role::curator) {
    rotation.tenants_resealed = TRY(reseal_tenant_keys(keys_dir, former, after.public_key));
  }
  return rotation;
}

Result<std::vector<SecretKey>> former_keys(const fs::path& keys_dir, const SecretKey& current) {
  const std::string& role = current.public_key.name;
  const std::string text = archived_label(role);
  const KeyFile kind{.label = text, .bytes = key_bytes + crypto_box_SEALBYTES};
  std::vector<SecretKey> keys;
  // After a crash in mid-rotation an older key may be sealed to the one before the present one, so
  // what was opened helps to open the rest.
  std::vector<SecretText> closed;
  for (const FileTime& file : archived_files(keys_dir, role)) {
    closed.push_back(TRY(read_key_file(file.path, kind)));
  }
  std::vector<SecretKey> openers = {current};
  for (std::size_t i = 0; i < openers.size(); ++i) {
    std::erase_if(closed, [&](const SecretText& sealed) {
      auto secret = open_sealed(sealed.reveal(), openers[i]);
      if (!secret) return false;
      openers.push_back(with_public(role, SecretText(std::move(*secret))));
      return true;
    });
  }
  keys.assign(std::make_move_iterator(openers.begin() + 1), std::make_move_iterator(openers.end()));
  return keys;
}

namespace {

struct SecretFile {
  fs::path path;
  std::string text;
};

// The admin has two keys; the passphrase is the role's.
std::vector<SecretFile> secret_files(const fs::path& keys_dir, Role role) {
  std::vector<SecretFile> files = {{file_of(keys_dir, role, ".key"), label(role, "secret")}};
  if (role == Role::admin) {
    files.push_back(
        {keys_dir / "admin-sign.key", "understudy secret key: admin (Ed25519 signatures)"});
  }
  return files;
}

struct OpenedFile {
  SecretFile file;
  SecretText bytes;
};

// All of them before any is written: a wrong passphrase changes nothing.
Result<std::vector<OpenedFile>> open_files(const fs::path& keys_dir, Role role) {
  std::optional<SecretText> passphrase;
  std::vector<OpenedFile> opened;
  for (SecretFile& file : secret_files(keys_dir, role)) {
    const KeyFile kind{.label = file.text, .passphrase_of = to_string(role)};
    const bool closed = is_protected(file.path);
    if (closed && !passphrase) passphrase = TRY(ask_passphrase(to_string(role)));
    SecretText bytes = closed ? TRY(read_protected_key_file(file.path, kind, *passphrase))
                              : TRY(read_key_file(file.path, kind));
    opened.push_back({std::move(file), std::move(bytes)});
  }
  return opened;
}

}  // namespace

Status protect_role_key(const fs::path& keys_dir, Role role) {
  const auto opened = TRY(open_files(keys_dir, role));
  const SecretText passphrase = TRY(ask_new_passphrase(to_string(role)));
  for (const OpenedFile& one : opened) {
    TRY(replace_protected_key_file(one.file.path, {.label = one.file.text}, one.bytes, passphrase));
  }
  return {};
}

Status unprotect_role_key(const fs::path& keys_dir, Role role) {
  for (const OpenedFile& one : TRY(open_files(keys_dir, role))) {
    TRY(replace_key_file(one.file.path, {.label = one.file.text}, one.bytes));
  }
  return {};
}

std::vector<KeyInfo> list_keys(const fs::path& keys_dir) {
  std::vector<KeyInfo> keys;
  std::error_code error;
  for (const Role role : all_roles) {
    const fs::path secret = file_of(keys_dir, role, ".key");
    const auto open = load_public_key(keys_dir, role);
    keys.push_back({.name = std::string(to_string(role)),
                    .fingerprint = open ? open->fingerprint() : "",
                    .has_public = open.has_value(),
                    .has_secret = fs::exists(secret, error),
                    .is_protected = is_protected(secret),
                    .former = archived_fingerprints(keys_dir, to_string(role))});
  }
  KeyInfo signing;
  signing.name = "admin (signatures)";
  signing.has_public = fs::exists(keys_dir / "admin-sign.pub", error);
  signing.has_secret = fs::exists(keys_dir / "admin-sign.key", error);
  signing.is_protected = is_protected(keys_dir / "admin-sign.key");
  keys.push_back(std::move(signing));
  KeyInfo pseudonyms;
  pseudonyms.name = "pseudonyms";
  pseudonyms.has_secret = fs::exists(keys_dir / "pseudonym.key", error);
  keys.push_back(std::move(pseudonyms));
  return keys;
}

}  // namespace understudy::crypto
