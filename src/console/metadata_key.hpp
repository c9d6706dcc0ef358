// The key that opens the log's metadata on this machine: the auditor's where it is, else the
// curator's. Segments of version 1 open for the curator only.
#pragma once

#include "adapters/crypto/keys.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"

namespace understudy::console {

Result<crypto::SecretKey> metadata_key(const store::Home& home);

}  // namespace understudy::console
