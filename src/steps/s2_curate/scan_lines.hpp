// `understudy scan`: what the detector finds in lines of {"id","text"}, so that anyone can measure
// it (docs/formats/scan.md). Reads no log and needs no key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/detect/custom_rules.hpp"

namespace understudy::s2 {

struct ScanRequest {
  std::filesystem::path file;  // plain or gzip; "-": standard input
  double score_min = 0.5;
  std::size_t remembered_strings_max = 65'536;
  std::vector<CustomRule> rules;
};

struct ScanReport {
  std::uint64_t lines = 0;
  std::uint64_t texts = 0;
  std::uint64_t text_bytes = 0;
  std::uint64_t json_texts = 0;
  std::uint64_t strings = 0;           // of all texts; a text that is no JSON is one
  std::uint64_t repeated_strings = 0;  // not searched again
  std::uint64_t repeated_objects = 0;  // messages and tools: not even walked again
  std::uint64_t repaired_lines = 0;    // were no UTF-8
  std::uint64_t spans = 0;
  std::uint64_t bad_lines = 0;
  double seconds = 0;
  double cpu_seconds = 0;  // of this process meanwhile
};

json::value to_json(const ScanReport& report);

// One line of spans for each text, in the order of the input. A bad line is told to `complain`
// with file and line, and counted; the others are scanned all the same. An error where the file
// cannot be read (on), or a rule does not compile.
Result<ScanReport> scan_lines(const ScanRequest& request,
                              const std::function<void(std::string_view)>& print,
                              const std::function<void(const Error&)>& complain);

}  // namespace understudy::s2
