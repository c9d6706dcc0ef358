// Facts on small language models: built into the program, and replaced or extended entry by entry
// by a file home/slm_catalogue.toml of the same form. A figure that is missing was not sourced: it
// counts as unknown, never as zero.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::s4 {

struct CatalogueModel {
  std::string name;
  std::string family;
  double parameters_billion = 0;
  std::string licence;  // empty: not known
  std::optional<std::int64_t> context_tokens;
  std::optional<double> tool_use;  // percent on BFCL, the newest version that has the model
  std::string tool_use_version;    // "BFCL v4"
  std::optional<double> instruction_following;  // percent on IFEval, one harness for all
  std::optional<double> knowledge;              // percent on MMLU, one harness for all
  std::string notes;
  std::map<std::string, std::string> sources;  // of each figure; the keys stand in the file's head
};
json::value to_json(const CatalogueModel& model);

// invalid_input names the line.
Result<std::vector<CatalogueModel>> parse_catalogue(std::string_view toml, std::string_view name);
Result<std::vector<CatalogueModel>> load_catalogue(const std::filesystem::path& own_file);

}  // namespace understudy::s4
