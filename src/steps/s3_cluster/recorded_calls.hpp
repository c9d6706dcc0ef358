// Recorded calls as clustering reads them, with their call-site labels beside: for tests and
// benchmarks. A label is never part of an example.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "records/example.hpp"

namespace understudy::s3 {

struct Recording {
  std::vector<Example> examples;
  std::vector<std::string> labels;  // meta.task; where there is none, the next step
};

// JSON lines (also .gz) of {"id", "request", "response", "meta"?, "session"?}. Calls without an
// answer are left out, as step S2 does. Without a session, meta names the run; else calls that
// begin alike are of one session.
Result<Recording> read_recording(const std::filesystem::path& file);

}  // namespace understudy::s3
