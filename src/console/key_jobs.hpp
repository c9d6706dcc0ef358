// Jobs on keys and on the audit trail. What changes keys leaves a line in the trail.
#pragma once

#include <string>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

using store::Home;

Result<json::value> init_keys(const Home& home);
Result<json::value> list_keys(const Home& home);
Result<json::value> rotate_keys(const Home& home, crypto::Role role);
enum class Protection { passphrase, none };
Result<json::value> protect_key(const Home& home, crypto::Role role, Protection protection);

// The newest `limit` entries (0: all).
Result<json::value> show_audit(const Home& home, std::size_t limit);
// `noted`: a head that somebody kept elsewhere; may be empty. "sound", "findings", "head".
Result<json::value> verify_audit(const Home& home, const std::string& noted);

}  // namespace understudy::console
