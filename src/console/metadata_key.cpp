#include "console/metadata_key.hpp"

#include <algorithm>

#include "adapters/store/call_log.hpp"

namespace understudy::console {

Result<crypto::SecretKey> metadata_key(const store::Home& home) {
  const bool has_old =
      std::ranges::contains(store::list_segments(home), 1U, &store::SegmentInfo::version);
  std::error_code ignored;
  const bool has_auditor = std::filesystem::exists(home.keys() / "auditor.key", ignored);
  return crypto::load_secret_key(
      home.keys(), has_old || !has_auditor ? crypto::Role::curator : crypto::Role::auditor);
}

}  // namespace understudy::console
