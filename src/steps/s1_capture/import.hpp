// Recorded calls from files (JSONL, plain or gzip; see call_line.hpp for the two forms) into the
// same encrypted call log that the gateway writes. Runs on the caller's thread; the log has its own
// writer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::s1 {

struct ImportedFile {
  std::string path;
  std::uint64_t lines = 0;
  std::uint64_t calls = 0;
  std::uint64_t without_answer = 0;  // kept in the log; curation drops them and counts why
  std::uint64_t sessions = 0;
  bool imported_before = false;  // the same bytes: its calls are in the log twice now
};

struct ImportReport {
  std::vector<ImportedFile> files;
  std::uint64_t calls = 0;
  std::vector<std::string> warnings;
};

json::value to_json(const ImportReport& report);

// A line that is no record stops the import with "FILE:LINE: why"; the calls before it are in the
// log, and the message says how many. Importing a file twice is allowed and warned about.
Result<ImportReport> import_calls(const store::Home& home,
                                  const std::vector<std::filesystem::path>& files);

}  // namespace understudy::s1
