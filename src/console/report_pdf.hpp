// The report's page as PDF, by weasyprint, which is a program of its own and may be missing:
// unsupported then, with what to do. Blocks until it has ended.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace understudy::console {

// Writes PAGE.pdf beside PAGE.html and returns its path.
Result<std::filesystem::path> write_pdf(const std::filesystem::path& html);

}  // namespace understudy::console
