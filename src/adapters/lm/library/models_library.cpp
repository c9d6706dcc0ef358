// understudy-models.so: the small models with all that they link (libllama, ICU, libcurl), for
// programs that need them only sometimes. adapters/lm/open_model.cpp opens it.
#include <cstdlib>

#include "adapters/lm/adapter_model.hpp"
#include "adapters/lm/classifier_model.hpp"
#include "adapters/lm/endpoint_model.hpp"
#include "adapters/lm/nano_model.hpp"
#include "adapters/lm/open_model.hpp"
#include "base/own_library.hpp"

UNDERSTUDY_OWN_LIBRARY;

namespace understudy::lm {
namespace {

Result<std::unique_ptr<SmallModel>> open_here(const OpenModelOptions& options) {
  if (options.endpoint) {
    if (options.kind != CandidateKind::adapter) {
      return fail(ErrorCode::invalid_input, "only adapters are served by another server",
                  "a " + std::string(to_string(options.kind)) + " needs no endpoint");
    }
    const char* key = std::getenv("UNDERSTUDY_ENDPOINT_KEY");
    return open_endpoint({.artifact_dir = options.artifact_dir,
                          .endpoint = *options.endpoint,
                          .api_key = key != nullptr ? key : ""});
  }
  switch (options.kind) {
    case CandidateKind::classifier: return open_classifier(options.artifact_dir);
    case CandidateKind::nano:
      return open_nano({.artifact_dir = options.artifact_dir,
                        .parallel = options.parallel,
                        .threads = options.threads});
    case CandidateKind::adapter:
      return open_adapter({.artifact_dir = options.artifact_dir,
                           .parallel = options.parallel,
                           .threads = options.threads});
  }
  return fail(ErrorCode::unsupported,
              "cannot open a model of kind " + std::string(to_string(options.kind)));
}

}  // namespace
}  // namespace understudy::lm

extern "C" [[gnu::visibility("default")]] void understudy_open_model(
    const understudy::lm::OpenModelOptions* options,
    understudy::Result<std::unique_ptr<understudy::lm::SmallModel>>* model) {
  *model = understudy::lm::open_here(*options);
}
