// Opens what `understudy tune` made, whatever its kind, as one interface. The models' code lies in
// understudy-models.so (adapters/lm/library), which the first call opens: a gateway without small
// models does not carry libllama, ICU and libcurl.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "adapters/lm/small_model.hpp"
#include "base/result.hpp"
#include "records/model.hpp"
#include "records/model_endpoint.hpp"

namespace understudy::lm {

struct OpenModelOptions {
  CandidateKind kind = CandidateKind::nano;
  std::filesystem::path artifact_dir;  // holds model.gguf or classifier.bin
  std::size_t parallel = 4;            // calls at once
  std::size_t threads = 1;
  std::optional<ModelEndpoint> endpoint = std::nullopt;  // that answers in our place
};

// Blocks until the model answers; an endpoint is not asked before the first call, with the key that
// $UNDERSTUDY_ENDPOINT_KEY holds, where it holds one. corrupt/not_found name the file; unsupported:
// a kind that this build cannot serve.
Result<std::unique_ptr<SmallModel>> open_model(const OpenModelOptions& options);

}  // namespace understudy::lm
