// A key pair for each tenant, so that erasing one is destroying a key: what the call log's segments
// hold of it is sealed to its public key. KEYS/tenants/NAME.pub, and KEYS/tenants/NAME.key.sealed:
// its secret key, sealed to the curator. The gateway makes a pair when it first sees a tenant and
// forgets the secret at once. Safe among processes (a lock file); each call opens files.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "base/result.hpp"

namespace understudy::crypto {

inline constexpr std::string_view default_tenant = "default";  // of calls that name none

// The tenant's public key; made, with its sealed secret, where there is none.
Result<PublicKey> tenant_public_key(const std::filesystem::path& keys_dir, std::string_view tenant);

// The same without making one: not_found.
Result<PublicKey> find_tenant_public_key(const std::filesystem::path& keys_dir,
                                         std::string_view tenant);

// not_found: erased (or never made). denied: sealed to a curator key that is not among `curators`.
Result<SecretKey> open_tenant_key(const std::filesystem::path& keys_dir, std::string_view tenant,
                                  std::span<const SecretKey> curators);

// Destroys the tenant's keys; false when there were none. Backups of KEYS/tenants still hold them.
Result<bool> erase_tenant_keys(const std::filesystem::path& keys_dir, std::string_view tenant);

// Names as in the files: pseudonyms, and "default".
Result<std::vector<std::string>> list_tenants(const std::filesystem::path& keys_dir);

// Seals every tenant's secret key to `curator` that is sealed to one of `former`; how many. A crash
// in between leaves each key sealed to the one or the other.
Result<std::size_t> reseal_tenant_keys(const std::filesystem::path& keys_dir,
                                       std::span<const SecretKey> former, const PublicKey& curator);

// Changes when a tenant's keys were made, erased or made anew; cheap (one stat).
std::int64_t tenant_keys_stamp(const std::filesystem::path& keys_dir);

}  // namespace understudy::crypto
