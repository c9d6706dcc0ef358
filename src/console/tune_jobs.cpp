#include "console/tune_jobs.hpp"

#include <filesystem>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/metadata.hpp"
#include "console/content_access.hpp"
#include "steps/s5_tune/tune.hpp"

namespace understudy::console {

Result<json::value> tune(const store::Home& home, const TuneRequest& request) {
  const auto metadata = TRY(store::Metadata::open(home));
  const Task found = TRY(metadata.find_task(request.task));
  const auto access =
      TRY(ContentAccess::begin(home, crypto::Role::trainer, "tune", "task " + found.id.value));
  s5::TuneOptions options{.kind = request.candidate,
                          .max_minutes = request.minutes_max,
                          .seed = request.seed,
                          .base = request.base};
  if (!options.base.base.empty()) {
    options.base.base = std::filesystem::absolute(options.base.base).lexically_normal();
  }
  const auto artifact = TRY(s5::tune(home, found.id, options));
  TRY(access.end());
  return to_json(artifact);
}

}  // namespace understudy::console
