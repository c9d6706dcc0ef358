// Who may call the gateway and its admin API: virtual keys with their limits, and tokens of roles.
// Only hashes of the secrets stand here; the secret itself is shown once, when it is made. Kept in
// HOME/access.json (adapters/store/access_store), enforced by live/access.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace understudy {

using SecretHash = std::array<std::uint8_t, 32>;  // BLAKE2b-256 of the secret's text

// What a caller may use; nothing stands for "no limit".
struct KeyLimits {
  std::vector<std::string> models = {};  // globs ("gpt-4o*"); empty: every model
  std::optional<std::int64_t> requests_per_minute = {};
  std::optional<std::int64_t> tokens_per_minute = {};  // prompt and completion together
  std::optional<double> usd_per_day = {};              // days and months of UTC
  std::optional<double> usd_per_month = {};
  std::optional<double> budget_usd = {};  // over the key's life
};

struct VirtualKey {
  std::string name;  // unique for ever: a revoked key keeps its name
  SecretHash hash{};
  std::string hint;  // the secret's last four characters, to recognise it by
  std::string tenant;
  KeyLimits limits;
  bool human_facing = false;  // its calls are by people: recorded as such, never converted
  UnixMicros created_at;
  UnixMicros expires_at;  // not known: never
  UnixMicros revoked_at;  // not known: in force
};

enum class AccessRole { curator, auditor, admin };
std::string_view to_string(AccessRole role);
Result<AccessRole> parse_access_role(std::string_view text);

struct RoleToken {
  std::string name;
  AccessRole role = AccessRole::auditor;
  SecretHash hash{};
  std::string hint;
  UnixMicros created_at;
  UnixMicros expires_at;
  UnixMicros revoked_at;
};

struct AccessList {
  std::int64_t version = 0;  // grows by one with every change
  std::vector<VirtualKey> keys;
  std::vector<RoleToken> tokens;

  [[nodiscard]] VirtualKey* find_key(std::string_view name);
  [[nodiscard]] RoleToken* find_token(std::string_view name);
};

json::value to_json(const AccessList& list);
Result<AccessList> access_list_from_json(const json::value& tree);  // corrupt, naming the entry
// What may be shown: no hash.
json::value to_public_json(const VirtualKey& key);
json::value to_public_json(const RoleToken& token);

// `*` stands for any characters, all others for themselves.
bool matches_glob(std::string_view pattern, std::string_view text);
// Letters, digits and -_.@; at most limits::access_name_bytes_max: names go into files, headers,
// metrics and paths. invalid_input.
Status check_access_name(std::string_view name);

}  // namespace understudy
