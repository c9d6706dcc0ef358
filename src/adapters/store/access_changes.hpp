// What people do with virtual keys and role tokens: issue, revoke, rotate. For the command line and
// the admin API alike. Each call blocks on the disk (access_store.hpp).
#pragma once

#include <string>
#include <string_view>

#include "adapters/crypto/access_secret.hpp"
#include "adapters/store/access_store.hpp"

namespace understudy::store {

struct IssuedKey {
  VirtualKey key;
  SecretText secret;  // shown once, kept nowhere
};

struct IssuedToken {
  RoleToken token;
  SecretText secret;
};

// Name, tenant, limits, expiry and the human-facing flag are the caller's; the rest is filled in.
// conflict: the name is taken (also by a revoked key: it stands in logs and in spend.json);
// invalid_input: no name, an expiry in the past.
Result<IssuedKey> issue_key(const Home& home, SignatureRule rule, VirtualKey wanted);
Result<IssuedToken> issue_token(const Home& home, SignatureRule rule, RoleToken wanted);
// A key with the same name, limits and spending, and a new secret; the old one ends at once.
Result<IssuedKey> rotate_key(const Home& home, SignatureRule rule, const std::string& name);
// A key, or a token, of that name. Revoking twice is no error. not_found.
Status revoke_access(const Home& home, SignatureRule rule, const std::string& name);

// "2027-01-31" (its first moment, UTC) or a whole ISO 8601 time. invalid_input.
Result<UnixMicros> parse_expiry(std::string_view text);

}  // namespace understudy::store
