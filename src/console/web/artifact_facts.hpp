// Trained models as the console's pages show them: lineage, figures, training curve, size. Reads
// the home on the caller's thread.
#pragma once

#include <filesystem>

#include "adapters/store/home.hpp"
#include "adapters/store/metadata.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

// The points of a training curve, thinned out; what is half written at its end is left out.
json::array curve_of(const std::filesystem::path& file);

Result<json::array> artifacts_of(const store::Home& home, const store::Metadata& metadata,
                                 const Task& task);

}  // namespace understudy::console
