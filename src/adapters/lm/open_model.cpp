#include "adapters/lm/open_model.hpp"

#include "adapters/lm/classifier_model.hpp"
#include "adapters/lm/nano_model.hpp"

namespace understudy::lm {

Result<std::unique_ptr<SmallModel>> open_model(const OpenModelOptions& options) {
  switch (options.kind) {
    case CandidateKind::classifier: return open_classifier(options.artifact_dir);
    case CandidateKind::nano:
      return open_nano({.artifact_dir = options.artifact_dir,
                        .parallel = options.parallel,
                        .threads = options.threads});
    case CandidateKind::adapter: break;
  }
  return fail(ErrorCode::unsupported,
              "cannot open a model of kind " + std::string(to_string(options.kind)));
}

}  // namespace understudy::lm
