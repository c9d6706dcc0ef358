// Opens a trained artifact as a SmallModel, whatever its kind: the classifier in process, nano
// through a llama-server that lives as long as the model.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "adapters/lm/small_model.hpp"
#include "base/result.hpp"
#include "records/model.hpp"

namespace understudy::lm {

struct OpenModelOptions {
  CandidateKind kind = CandidateKind::nano;
  std::filesystem::path artifact_dir;
  std::size_t parallel = 4;  // calls answered at a time
  std::size_t threads = 1;
};

Result<std::unique_ptr<SmallModel>> open_model(const OpenModelOptions& options);

}  // namespace understudy::lm
