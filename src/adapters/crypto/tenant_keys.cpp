#include "adapters/crypto/tenant_keys.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "adapters/crypto/key_file.hpp"
#include "base/file_lock.hpp"

namespace understudy::crypto {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_bytes = 32;
constexpr std::size_t name_bytes_max = 64;
constexpr std::string_view public_suffix = ".pub";
constexpr std::string_view sealed_suffix = ".key.sealed";
constexpr KeyFile public_kind = {.label = "understudy public key: tenant (X25519)",
                                 .secrecy = KeySecrecy::open};
constexpr KeyFile sealed_kind = {
    .label = "understudy secret key: tenant (X25519), sealed to the curator",
    .bytes = key_bytes + crypto_box_SEALBYTES};

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

fs::path directory_of(const fs::path& keys_dir) { return keys_dir / "tenants"; }

// Pseudonyms are file names as they are; anything else becomes one.
std::string file_name(std::string_view tenant) {
  if (tenant.empty()) tenant = default_tenant;
  const bool is_plain =
      tenant.size() <= name_bytes_max && std::ranges::all_of(tenant, [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
      });
  return is_plain ? std::string(tenant) : "h-" + blake2b_hex(tenant).substr(0, 32);
}

fs::path file_of(const fs::path& keys_dir, std::string_view tenant, std::string_view suffix) {
  return directory_of(keys_dir) / (file_name(tenant) + std::string(suffix));
}

// Held while the tenants' files are changed; two processes may see a tenant first at the same time.
Result<FileLock> lock_tenants(const fs::path& keys_dir) {
  const fs::path directory = directory_of(keys_dir);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorCode::denied,
                "cannot create " + directory.string() + ": " + std::strerror(errno),
                "the gateway makes the tenants' keys there; check who owns the folder");
  }
  return FileLock::take(directory / ".lock");
}

Result<PublicKey> read_public(const fs::path& path, std::string_view tenant) {
  const SecretText bytes = TRY(read_key_file(path, public_kind));
  PublicKey key{.name = "tenant " + file_name(tenant)};
  std::memcpy(key.bytes.data(), bytes.reveal().data(), key_bytes);
  return key;
}

Status delete_file(const fs::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return fail(ErrorCode::denied, "cannot delete " + path.string() + ": " + std::strerror(errno));
}

Result<SecretText> open_with(std::string_view sealed, std::span<const SecretKey> curators) {
  for (const SecretKey& curator : curators) {
    if (auto secret = open_sealed(sealed, curator)) return SecretText(std::move(*secret));
  }
  return fail(ErrorCode::denied, "no curator key that is here opens it",
              "use the home (or the backup of its keys/) whose curator it was sealed to");
}

}  // namespace

Result<PublicKey> tenant_public_key(const fs::path& keys_dir, std::string_view tenant) {
  const fs::path path = file_of(keys_dir, tenant, public_suffix);
  if (auto known = read_public(path, tenant); known || known.error().code != ErrorCode::not_found) {
    return known;
  }
  const FileLock lock = TRY(lock_tenants(keys_dir));
  if (auto known = read_public(path, tenant); known || known.error().code != ErrorCode::not_found) {
    return known;
  }
  const PublicKey curator = TRY(load_public_key(keys_dir, Role::curator));
  std::string public_bytes(key_bytes, '\0');
  std::string secret_bytes(key_bytes, '\0');
  crypto_box_keypair(bytes_of(public_bytes), bytes_of(secret_bytes));
  const SecretText secret(std::move(secret_bytes));
  // The sealed secret first: a public key without one would make calls that nobody can ever read.
  TRY(replace_key_file(file_of(keys_dir, tenant, sealed_suffix), sealed_kind,
                       SecretText(seal(secret.reveal(), curator))));
  TRY(replace_key_file(path, public_kind, SecretText(std::move(public_bytes))));
  return read_public(path, tenant);
}

Result<PublicKey> find_tenant_public_key(const fs::path& keys_dir, std::string_view tenant) {
  return read_public(file_of(keys_dir, tenant, public_suffix), tenant);
}

Result<SecretKey> open_tenant_key(const fs::path& keys_dir, std::string_view tenant,
                                  std::span<const SecretKey> curators) {
  const fs::path path = file_of(keys_dir, tenant, sealed_suffix);
  const SecretText sealed = TRY(read_key_file(path, sealed_kind));
  auto secret = open_with(sealed.reveal(), curators);
  if (!secret) return fail(secret.error().within(path.string()));
  PublicKey open{.name = "tenant " + file_name(tenant)};
  crypto_scalarmult_base(open.bytes.data(),
                         reinterpret_cast<const unsigned char*>(secret->reveal().data()));
  return SecretKey{.public_key = std::move(open), .bytes = std::move(*secret)};
}

Result<bool> erase_tenant_keys(const fs::path& keys_dir, std::string_view tenant) {
  const fs::path sealed = file_of(keys_dir, tenant, sealed_suffix);
  const fs::path open = file_of(keys_dir, tenant, public_suffix);
  std::error_code ignored;
  if (!fs::exists(sealed, ignored) && !fs::exists(open, ignored)) return false;
  const FileLock lock = TRY(lock_tenants(keys_dir));
  // Zeros first, so that undeleting finds nothing where the file system writes in place.
  if (const auto size = fs::file_size(sealed, ignored); !ignored) {
    if (std::FILE* file = std::fopen(sealed.c_str(), "r+")) {
      std::fwrite(std::string(size, '0').data(), 1, size, file);
      std::fflush(file);
      ::fdatasync(::fileno(file));
      std::fclose(file);
    }
  }
  TRY(delete_file(sealed));  // before the public one: this is the erasure
  TRY(delete_file(open));
  const int directory = ::open(directory_of(keys_dir).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    ::fsync(directory);  // a power cut must not bring them back
    ::close(directory);
  }
  return true;
}

Result<std::vector<std::string>> list_tenants(const fs::path& keys_dir) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_of(keys_dir), error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(sealed_suffix)) {
      names.push_back(name.substr(0, name.size() - sealed_suffix.size()));
    }
  }
  std::ranges::sort(names);
  return names;
}

Result<std::size_t> reseal_tenant_keys(const fs::path& keys_dir, std::span<const SecretKey> former,
                                       const PublicKey& curator) {
  const auto tenants = TRY(list_tenants(keys_dir));
  if (tenants.empty()) return 0;
  const FileLock lock = TRY(lock_tenants(keys_dir));
  std::size_t count = 0;
  for (const std::string& tenant : tenants) {
    const fs::path path = file_of(keys_dir, tenant, sealed_suffix);
    const SecretText sealed = TRY(read_key_file(path, sealed_kind));
    const auto secret = open_with(sealed.reveal(), former);
    if (!secret) continue;  // sealed to the new key already, or to a key that was never here
    TRY(replace_key_file(path, sealed_kind, SecretText(seal(secret->reveal(), curator))));
    ++count;
  }
  return count;
}

std::int64_t tenant_keys_stamp(const fs::path& keys_dir) {
  struct stat status{};
  if (::stat(directory_of(keys_dir).c_str(), &status) != 0) return 0;
  return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace understudy::crypto
