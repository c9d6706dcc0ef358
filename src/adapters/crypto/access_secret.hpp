// Secrets of callers: made from 256 random bits, shown once, kept as a hash. The hash needs no salt
// and no slow function, because such a secret cannot be guessed; it costs the gateway about 0.2 us
// per request. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "records/access.hpp"

namespace understudy::crypto {

inline constexpr std::string_view virtual_key_prefix = "us-";
inline constexpr std::string_view role_token_prefix = "ut-";
inline constexpr std::size_t access_secret_bytes = 3 + 43;  // prefix and base64url of 32 bytes

struct AccessSecret {
  SecretText text;  // "us-" and 43 characters
  SecretHash hash{};
  std::string hint;  // its last four characters
};

AccessSecret make_access_secret(std::string_view prefix);
SecretHash hash_access_secret(std::string_view secret);
// Takes the same time wherever the two differ.
bool same_hash(const SecretHash& left, const SecretHash& right);

}  // namespace understudy::crypto
