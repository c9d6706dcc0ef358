// Signed, versioned routing policies: home/policy/NNNNNN.json with
// {"policy":{...},"signature":"hex"} and `current`, a file that names the one in force. The control
// plane writes (needs admin's signing key), the gateway reads with the public key and refuses a
// policy whose signature is wrong.
#pragma once

#include <cstdint>
#include <optional>

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/policy.hpp"

namespace understudy::store {

// Gives the policy the next version, signs it, writes it, then switches `current`.
Result<std::int64_t> publish_policy(const Home& home, RoutingPolicy policy);
// An empty policy of version 0 when none was ever published.
Result<RoutingPolicy> load_current_policy(const Home& home);
// A policy of the past, 1 <= version <= the current one; verified alike.
Result<RoutingPolicy> load_policy(const Home& home, std::int64_t version);
// Version of the policy in force, cheap: the gateway polls it.
Result<std::int64_t> current_policy_version(const Home& home);

}  // namespace understudy::store
