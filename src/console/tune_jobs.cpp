#include "console/tune_jobs.hpp"

#include <filesystem>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/metadata.hpp"
#include "console/content_access.hpp"
#include "steps/s4_select/model_library.hpp"
#include "steps/s5_tune/tune.hpp"

namespace understudy::console {

namespace {

// A file, the name of a model that `understudy models add` took in, or a directory, which is taken
// in here.
Result<std::filesystem::path> base_file(const store::Home& home,
                                        const std::filesystem::path& given) {
  std::error_code error;
  if (std::filesystem::is_directory(given, error))
    return TRY(s4::take_directory(home, given, {})).file.path;
  if (std::filesystem::exists(given, error))
    return std::filesystem::absolute(given).lexically_normal();
  if (given.has_extension() && given.extension() == ".gguf")
    return fail(ErrorCode::not_found, "there is no file " + given.string());
  return TRY(s4::find_model(home, given.string())).file.path;
}

}  // namespace

Result<json::value> tune(const store::Home& home, const TuneRequest& request) {
  const auto metadata = TRY(store::Metadata::open(home));
  const Task found = TRY(metadata.find_task(request.task));
  const auto access =
      TRY(ContentAccess::begin(home, crypto::Role::trainer, "tune", "task " + found.id.value));
  s5::TuneOptions options{.kind = request.candidate,
                          .max_minutes = request.minutes_max,
                          .seed = request.seed,
                          .base = request.base};
  if (!options.base.base.empty()) options.base.base = TRY(base_file(home, options.base.base));
  const auto artifact = TRY(s5::tune(home, found.id, options));
  TRY(access.end());
  return to_json(artifact);
}

}  // namespace understudy::console
