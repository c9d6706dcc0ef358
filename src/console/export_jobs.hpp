// The job behind `understudy export dataset`: a curated data set for other tools, as Parquet or
// JSON lines (docs/formats/dataset.md). Needs the trainer's or the curator's key, and leaves its
// trace in the audit trail.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

using store::Home;

struct ExportRequest {
  std::string format = "jsonl";                 // or "parquet"
  std::string role = "trainer";                 // or "curator"
  std::string split;                            // "": all
  std::string dataset;                          // "": the current one
  std::optional<std::filesystem::path> output;  // absent: JSON lines to `print`
};

// {"dataset","examples","path"}. An export that fails leaves no file.
Result<json::value> export_dataset(const Home& home, const ExportRequest& request,
                                   const std::function<void(std::string_view)>& print);

}  // namespace understudy::console
