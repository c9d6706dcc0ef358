#include "console/web/artifact_facts.hpp"

#include <fstream>
#include <string>
#include <vector>

namespace understudy::console {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t curve_points_max = 400;
constexpr std::size_t curve_bytes_max = 4 * 1024 * 1024;

json::value parsed_or_null(const std::string& text) {
  auto tree = json::parse(text);
  return tree ? std::move(*tree) : json::value(nullptr);
}

json::object artifact_shown(const store::Home& home, const Artifact& artifact) {
  json::object tree = to_json(artifact).as_object();
  tree["config"] = parsed_or_null(artifact.config_json);
  tree["metrics"] = parsed_or_null(artifact.metrics_json);
  const fs::path directory = home.artifacts() / artifact.id.value;
  tree["curve"] = curve_of(directory / "metrics.jsonl");
  std::int64_t bytes = 0;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(directory, error))
    if (file.is_regular_file(error)) bytes += static_cast<std::int64_t>(file.file_size(error));
  tree["bytes"] = bytes;
  return tree;
}

}  // namespace

json::array curve_of(const fs::path& file) {
  std::vector<json::value> points;
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (error || bytes > curve_bytes_max) return {};
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    auto point = json::parse(line);
    if (point && point->is_object()) points.push_back(std::move(*point));
  }
  json::array out;
  const std::size_t step = points.size() / curve_points_max + 1;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % step == 0 || i + 1 == points.size()) out.push_back(std::move(points[i]));
  return out;
}

Result<json::array> artifacts_of(const store::Home& home, const store::Metadata& metadata,
                                 const Task& task) {
  json::array out;
  for (const Artifact& artifact : TRY(metadata.artifacts(task.id))) {
    json::object one = artifact_shown(home, artifact);
    one["task_name"] = task.name;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace understudy::console
