// The classifier of a closed answer set as a SmallModel: reads slots_text(slots), answers with one
// of the teacher's own spellings. In process, thread-safe, no context limit: 20 us a call.
#pragma once

#include <filesystem>
#include <memory>

#include "adapters/lm/small_model.hpp"
#include "base/result.hpp"

namespace understudy::lm {

inline constexpr std::string_view classifier_file_name = "classifier.bin";

// Reads artifact_dir/classifier.bin. not_found and corrupt name the file.
Result<std::unique_ptr<SmallModel>> open_classifier(const std::filesystem::path& artifact_dir);

}  // namespace understudy::lm
