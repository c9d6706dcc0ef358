// What `./dev bench cluster` measures, one piece per run, as JSON on stdout:
//
//   cluster_bench texts FILE [FEATURES]      lines of {"text", "label"?}: groups of texts
//   cluster_bench calls FILE [FEATURES]      recorded calls: tasks, against meta.task or the next
//   step cluster_bench scale COUNT FILE...        COUNT calls made of the files' sessions with
//   fresh values cluster_bench again FILE                 twice, and with a tenth of the sessions
//   added
//
// FEATURES receives the coordinates that were clustered, as rows of 32-bit floats, for other
// programs to cluster. Labels are for scoring only: nothing here hands them to the clustering.
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "adapters/store/line_reader.hpp"
#include "adapters/text/hashing.hpp"
#include "base/check.hpp"
#include "base/progress.hpp"
#include "steps/s3_cluster/agreement.hpp"
#include "steps/s3_cluster/call_view.hpp"
#include "steps/s3_cluster/cluster.hpp"
#include "steps/s3_cluster/recorded_calls.hpp"
#include "steps/s3_cluster/task_ids.hpp"
#include "steps/s3_cluster/text_clusters.hpp"

namespace {

using namespace understudy;
using namespace understudy::s3;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void write_features(const cluster::DenseRows& rows, const char* file) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(rows.values.data()),
            static_cast<std::streamsize>(rows.values.size() * sizeof(float)));
}

std::vector<std::uint32_t> numbered(const std::vector<std::string>& names) {
  std::map<std::string, std::uint32_t> numbers;
  std::vector<std::uint32_t> out;
  for (const std::string& name : names)
    out.push_back(
        numbers.try_emplace(name, static_cast<std::uint32_t>(numbers.size())).first->second);
  return out;
}

json::object to_json(const Agreement& scores) {
  return {{"nmi", scores.nmi},       {"ami", scores.ami},       {"ari", scores.ari},
          {"purity", scores.purity}, {"groups", scores.groups}, {"labels", scores.labels}};
}

json::array to_json(const std::vector<std::uint32_t>& numbers) {
  json::array out;
  for (const std::uint32_t number : numbers) out.emplace_back(number);
  return out;
}

json::object texts(const char* file, const char* features) {
  std::vector<std::string> lines;
  std::vector<std::string> labels;
  auto reader = store::LineReader::open(file).value();
  while (const auto line = reader.next().value()) {
    const json::value record = json::parse(*line).value();
    lines.push_back(json::string_or(record, "text"));
    labels.push_back(json::string_or(record, "label"));
  }
  std::vector<TextItem> items;
  for (std::uint32_t i = 0; i < lines.size(); ++i)
    items.push_back({.text = lines[i], .session = i});
  const auto begin = std::chrono::steady_clock::now();
  const TextClusters made = cluster_texts(items, {}).value();
  const double seconds = seconds_since(begin);
  if (features != nullptr) write_features(made.coordinates, features);
  json::array sweep;
  for (const ResolutionTried& tried : made.sweep) {
    sweep.push_back(json::object{{"resolution", tried.resolution},
                                 {"agreement", tried.agreement},
                                 {"groups", tried.groups}});
  }
  return {{"texts", lines.size()},
          {"seconds", seconds},
          {"resolution", made.resolution},
          {"sweep", std::move(sweep)},
          {"columns", made.coordinates.columns},
          {"labels", to_json(numbered(labels))},
          {"scores", to_json(agreement(made.group, numbered(labels)))}};
}

std::vector<std::string> task_names(const Clustering& made) {
  std::vector<std::string> names;
  for (const Assignment& assignment : made.assignments) names.push_back(assignment.task.value);
  return names;
}

json::object calls(const char* file) {
  const Recording recording = read_recording(file).value();
  const auto begin = std::chrono::steady_clock::now();
  const Clustering made = cluster_examples(recording.examples, {}).value();
  const double seconds = seconds_since(begin);
  const std::vector<std::string> names = task_names(made);
  std::vector<std::string> assigned[2];
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    assigned[0].push_back(names[i]);
    assigned[1].push_back(recording.labels[i]);
  }
  return {{"calls", recording.examples.size()},
          {"seconds", seconds},
          {"tasks", made.tasks.size()},
          {"assigned", assigned[0].size()},
          {"labels", to_json(numbered(recording.labels))},
          {"scores", to_json(agreement(numbered(names), numbered(recording.labels)))},
          {"scores of assigned", to_json(agreement(numbered(assigned[0]), numbered(assigned[1])))}};
}

}  // namespace

int main(int count, char** words) {
  set_progress_shown(false);
  const std::string what = count > 2 ? words[1] : "";
  if (what == "texts") {
    std::cout << json::to_text(texts(words[2], count > 3 ? words[3] : nullptr)) << "\n";
  } else if (what == "calls") {
    std::cout << json::to_text(calls(words[2])) << "\n";
  } else {
    std::cerr << "usage: cluster_bench texts|calls|scale|again ...\n";
    return 2;
  }
  return 0;
}
