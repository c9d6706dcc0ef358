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
#include <algorithm>
#include <chrono>
#include <ctime>
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
#include "steps/s3_cluster/task_assigner.hpp"
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

StructureKey key_of(const CallView& view) {
  return {.skeleton = {}, .tools = view.tools, .response_form = view.response_form};
}

// Calls whose template does not give the prompt back, byte by byte.
std::size_t broken_inverses(const Recording& recording, const Clustering& made) {
  std::map<TaskId, const Task*> tasks;
  for (const Task& task : made.tasks) tasks[task.id] = &task;
  std::size_t broken = 0;
  for (std::size_t i = 0; i < made.assignments.size(); ++i) {
    if (made.assignments[i].task.empty()) continue;
    const std::string prompt = view_of(recording.examples[i]).value().prompt;
    const PromptTemplate& shape = tasks.at(made.assignments[i].task)->prompt_template;
    const auto slots = shape.match(prompt);
    broken += slots && shape.render(*slots) == prompt ? 0U : 1U;
  }
  return broken;
}

// The whole prompts as texts with the shape of what the calls did: what other programs cluster.
void write_call_features(const Recording& recording, const char* file) {
  std::vector<CallView> views;
  for (const Example& example : recording.examples) views.push_back(view_of(example).value());
  std::vector<TextItem> items;
  for (std::uint32_t i = 0; i < views.size(); ++i)
    items.push_back({.text = views[i].prompt, .session = i, .shape = views[i].action});
  write_features(cluster_texts(items, {}).value().coordinates, file);
}

json::object calls(const char* file, const char* features) {
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
  if (features != nullptr) write_call_features(recording, features);
  return {{"calls", recording.examples.size()},
          {"seconds", seconds},
          {"tasks", made.tasks.size()},
          {"assigned", assigned[0].size()},
          {"broken inverses", broken_inverses(recording, made)},
          {"labels", to_json(numbered(recording.labels))},
          {"scores", to_json(agreement(numbered(names), numbered(recording.labels)))},
          {"scores of assigned", to_json(agreement(numbered(assigned[0]), numbered(assigned[1])))}};
}

Recording only_sessions(const Recording& all, auto&& wanted) {
  Recording kept;
  for (std::size_t i = 0; i < all.examples.size(); ++i) {
    if (!wanted(text::hash64(all.examples[i].session.value, 7))) continue;
    kept.examples.push_back(all.examples[i]);
    kept.labels.push_back(all.labels[i]);
  }
  return kept;
}

// Twice the same; and with a tenth of the sessions added, as the next night's clustering has it.
json::object again(const char* file) {
  const Recording all = read_recording(file).value();
  const Clustering whole = cluster_examples(all.examples, {}).value();
  const bool same = task_names(whole) == task_names(cluster_examples(all.examples, {}).value());

  const Recording old = only_sessions(all, [](std::uint64_t hash) { return hash % 11 != 0; });
  const Clustering before = cluster_examples(old.examples, {}).value();
  Clustering after = whole;
  keep_task_ids(after.tasks, after.assignments,
                {.tasks = before.tasks, .assignments = before.assignments});
  std::map<CallId, TaskId> now;
  for (const Assignment& assignment : after.assignments) now[assignment.call] = assignment.task;
  std::size_t assigned = 0;
  std::size_t kept = 0;
  for (const Assignment& assignment : before.assignments) {
    if (assignment.task.empty()) continue;
    ++assigned;
    kept += now[assignment.call] == assignment.task ? 1U : 0U;
  }

  // The new calls by their prompts alone, against where clustering everything put them.
  const TaskAssigner assigner(before.tasks);
  const Recording fresh = only_sessions(all, [](std::uint64_t hash) { return hash % 11 == 0; });
  std::size_t placed = 0;
  std::size_t right = 0;
  for (const Example& example : fresh.examples) {
    const CallView view = view_of(example).value();
    const Placement placement = assigner.assign(view.prompt, key_of(view));
    if (placement.task < 0) continue;
    ++placed;
    const TaskId& task = before.tasks[static_cast<std::size_t>(placement.task)].id;
    right += now[example.call] == task ? 1U : 0U;
  }
  const auto share = [](std::size_t part, std::size_t of) {
    return of == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(of);
  };
  return {{"same ids", same},
          {"old calls", old.examples.size()},
          {"new calls", fresh.examples.size()},
          {"old calls that keep their id", share(kept, assigned)},
          {"new calls placed", share(placed, fresh.examples.size())},
          {"of these as clustering has them", share(right, placed)}};
}

// Words that a file's prompts do not have in common: what a copy of a session may say otherwise.
std::vector<std::string> varied_words(const Recording& recording) {
  std::map<std::string, std::size_t> calls_with;
  for (const Example& example : recording.examples) {
    std::set<std::string> words;
    std::string word;
    for (const char c : example.request.reveal()) {
      if (c >= 'a' && c <= 'z') {
        word += c;
      } else {
        constexpr std::size_t letters_min = 5;
        if (word.size() >= letters_min) words.insert(word);
        word.clear();
      }
    }
    for (const std::string& found : words) ++calls_with[found];
  }
  std::vector<std::string> varied;
  for (const auto& [word, count] : calls_with) {
    if (count * 20 <= recording.examples.size()) varied.push_back(word);
  }
  return varied;
}

// Digits change, and every fourth varied word is another one of the file; consistent in a copy.
class Rewriter {
 public:
  Rewriter(const std::vector<std::string>& words, std::uint64_t seed) : words_(words), seed_(seed) {
    for (const std::string& word : words) known_.insert(word);
  }
  [[nodiscard]] std::string rewrite(std::string_view text) const {
    std::string out;
    std::string word;
    const auto finish = [&] {
      const std::uint64_t draw = text::hash64(word, seed_);
      const bool varies = draw % 4 == 0 && known_.contains(word);
      out += varies ? words_[draw / 4 % words_.size()] : word;
      word.clear();
    };
    for (const char c : text) {
      if (c >= 'a' && c <= 'z') {
        word += c;
        continue;
      }
      finish();
      const int shift = static_cast<int>(seed_ % 9);
      out += c >= '1' && c <= '9' ? static_cast<char>('1' + (c - '1' + shift) % 9) : c;
    }
    finish();
    return out;
  }

 private:
  const std::vector<std::string>& words_;
  std::set<std::string, std::less<>> known_;
  std::uint64_t seed_;
};

std::vector<Example> copies(std::size_t wanted, const std::vector<const char*>& files) {
  std::vector<Recording> recordings;
  std::vector<std::vector<std::string>> words;
  for (const char* file : files) {
    recordings.push_back(read_recording(file).value());
    words.push_back(varied_words(recordings.back()));
  }
  std::vector<Example> made;
  for (std::uint64_t copy = 0; made.size() < wanted; ++copy) {
    for (std::size_t f = 0; f < files.size(); ++f) {
      const Rewriter rewriter(words[f], copy * 1000 + f);
      for (const Example& example : recordings[f].examples) {
        if (made.size() == wanted) break;
        Example fresh = example;
        fresh.call.value += "/" + std::to_string(copy);
        fresh.session.value += "/" + std::to_string(copy);
        if (copy > 0) {
          fresh.request = SecretText(rewriter.rewrite(example.request.reveal()));
          fresh.response = SecretText(rewriter.rewrite(example.response.reveal()));
        }
        if (view_of(fresh)) made.push_back(std::move(fresh));
      }
    }
  }
  return made;
}

json::object scale(std::size_t count, const std::vector<const char*>& files) {
  const std::vector<Example> examples = copies(count, files);
  double bytes = 0;
  for (const Example& example : examples)
    bytes += static_cast<double>(example.request.reveal().size());
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t cpu_begin = std::clock();
  const Clustering made = cluster_examples(examples, {}).value();
  const double seconds = seconds_since(begin);
  const double cpu_seconds =
      static_cast<double>(std::clock() - cpu_begin) / static_cast<double>(CLOCKS_PER_SEC);

  const TaskAssigner assigner(made.tasks);
  std::vector<double> micros;
  constexpr std::size_t timed_max = 20'000;
  for (std::size_t i = 0; i < examples.size(); i += 1 + examples.size() / timed_max) {
    const CallView view = view_of(examples[i]).value();
    const StructureKey key = key_of(view);
    const auto start = std::chrono::steady_clock::now();
    const Placement placement = assigner.assign(view.prompt, key);
    micros.push_back(1e6 * seconds_since(start));
    CHECK(placement.task < static_cast<std::ptrdiff_t>(made.tasks.size()), "a task that there is");
  }
  std::ranges::sort(micros);
  const auto at = [&](double share) {
    return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
  };
  std::size_t unassigned = 0;
  for (const Assignment& assignment : made.assignments)
    unassigned += assignment.task.empty() ? 1U : 0U;
  return {{"calls", examples.size()}, {"request MB", bytes / 1e6}, {"tasks", made.tasks.size()},
          {"unassigned", unassigned}, {"seconds", seconds},        {"cpu seconds", cpu_seconds},
          {"assign p50 us", at(0.5)}, {"assign p99 us", at(0.99)}, {"assign p99.9 us", at(0.999)},
          {"timed", micros.size()}};
}

}  // namespace

int main(int count, char** words) {
  set_progress_shown(false);
  const std::string what = count > 2 ? words[1] : "";
  const char* features = count > 3 ? words[3] : nullptr;
  json::object figures;
  if (what == "texts") {
    figures = texts(words[2], features);
  } else if (what == "calls") {
    figures = calls(words[2], features);
  } else if (what == "again") {
    figures = again(words[2]);
  } else if (what == "scale" && count > 3) {
    figures = scale(std::stoul(words[2]), {words + 3, words + count});
  } else {
    std::cerr
        << "usage: cluster_bench texts|calls FILE [FEATURES] | again FILE | scale COUNT FILE...\n";
    return 2;
  }
  std::cout << json::to_text(figures) << "\n";
  return 0;
}
