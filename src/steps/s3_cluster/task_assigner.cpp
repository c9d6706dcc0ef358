#include "steps/s3_cluster/task_assigner.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <string>

#include "adapters/text/hashing.hpp"
#include "base/check.hpp"
#include "steps/s3_cluster/line_mask.hpp"

namespace understudy::s3 {

namespace {

std::uint32_t hash32(std::string_view text) {
  return static_cast<std::uint32_t>(text::hash64(text) >> 32U);
}

// The front of the last message: what was asked last.
std::string_view last_message(std::string_view prompt) {
  constexpr std::size_t bytes_max = 1024;
  const std::size_t role = prompt.rfind("\n<|");
  std::size_t begin = role == std::string_view::npos ? 0 : role + 1;
  begin = std::min(prompt.find('\n', begin), prompt.size());
  return prompt.substr(begin, bytes_max);
}

// Lower-case words as hashes, each once, sorted.
std::vector<std::uint32_t> words_of(std::string_view text) {
  std::vector<std::uint32_t> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(hash32(word));
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) {
      word += static_cast<char>(std::tolower(byte));
    } else {
      finish();
    }
  }
  finish();
  std::ranges::sort(words);
  const auto repeated = std::ranges::unique(words);
  words.erase(repeated.begin(), repeated.end());
  return words;
}

}  // namespace

TaskAssigner::TaskAssigner(const std::vector<Task>& tasks) : tasks_(tasks) {
  for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = tasks_[i];
    Group& group = groups_[{task.key.tools, task.key.response_form}];
    group.tasks.push_back(i);
    group.lines_max = std::max(group.lines_max, task.lines.size());
    const auto shape =
        std::ranges::find(group.shapes, task.prompt_template, &Shape::prompt_template);
    if (shape != group.shapes.end()) {
      shape->tasks.push_back(i);
    } else {
      group.shapes.push_back({.prompt_template = task.prompt_template, .tasks = {i}});
    }
    for (const WordWeight& entry : task.profile) words_[entry.word].emplace_back(i, entry.weight);
  }
  for (auto& [key, group] : groups_) {
    std::ranges::stable_sort(group.shapes, std::greater{}, [](const Shape& shape) {
      return shape.prompt_template.constant_bytes();
    });
  }
}

Placement TaskAssigner::assign(std::string_view prompt, const StructureKey& key) const {
  const auto group = groups_.find({key.tools, key.response_form});
  if (group == groups_.end()) return {};
  for (const Shape& shape : group->second.shapes) {
    if (shape.prompt_template.matches(prompt)) return by_words(shape, prompt);
  }
  return by_lines(group->second, prompt);
}

Placement TaskAssigner::by_words(const Shape& shape, std::string_view prompt) const {
  const std::uint32_t only = shape.tasks.front();
  if (shape.tasks.size() == 1)
    return {.task = only, .confidence = tasks_[only].separable ? 1 : 0.5};
  std::vector<double> scores(shape.tasks.size());
  for (const std::uint32_t word : words_of(last_message(prompt))) {
    const auto known = words_.find(word);
    if (known == words_.end()) continue;
    for (const auto& [task, weight] : known->second) {
      const auto place = std::ranges::lower_bound(shape.tasks, task);
      if (place != shape.tasks.end() && *place == task)
        scores[static_cast<std::size_t>(place - shape.tasks.begin())] += weight;
    }
  }
  const auto best = std::ranges::max_element(scores);
  double second = 0;
  for (auto score = scores.begin(); score != scores.end(); ++score) {
    if (score != best) second = std::max(second, *score);
  }
  const auto place = static_cast<std::size_t>(best - scores.begin());
  return {.task = shape.tasks[place], .confidence = *best > 0 ? 0.9 * (1 - second / *best) : 0};
}

Placement TaskAssigner::by_lines(const Group& group, std::string_view prompt) const {
  constexpr std::size_t lines_looked_at = 128;
  constexpr std::size_t lines_min = 3;
  constexpr double share_min = 0.6;
  if (group.lines_max < lines_min) return {};
  std::vector<std::uint32_t> lines;
  for (std::size_t at = 0; at < prompt.size() && lines.size() < lines_looked_at;) {
    const std::size_t end = std::min(prompt.find('\n', at), prompt.size());
    constexpr std::size_t line_bytes_max = 512;
    if (end - at > 2 && end - at <= line_bytes_max) {
      const std::string masked = mask_line(prompt.substr(at, end - at));
      if (!masked.empty()) lines.push_back(hash32(masked));
    }
    at = end + 1;
  }
  std::ranges::sort(lines);
  Placement best;
  for (const std::uint32_t task : group.tasks) {
    const std::vector<std::uint32_t>& own = tasks_[task].lines;
    if (own.size() < lines_min) continue;
    const auto held = std::ranges::count_if(
        own, [&](std::uint32_t line) { return std::ranges::binary_search(lines, line); });
    const double share = static_cast<double>(held) / static_cast<double>(own.size());
    if (share >= share_min && 0.5 * share > best.confidence)
      best = {.task = task, .confidence = 0.5 * share};
  }
  return best;
}

void make_profiles(std::vector<Task>& tasks,
                   const std::vector<std::vector<std::string_view>>& prompts) {
  CHECK(tasks.size() == prompts.size(), "prompts for each task");
  constexpr std::size_t prompts_looked_at = 300;
  constexpr std::size_t words_max = 160;
  std::vector<std::map<std::uint32_t, double>> shares(tasks.size());  // of prompts with the word
  std::map<std::uint32_t, double> everywhere;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::size_t count = std::min(prompts[i].size(), prompts_looked_at);
    for (std::size_t p = 0; p < count; ++p) {
      for (const std::uint32_t word :
           words_of(last_message(prompts[i][p * prompts[i].size() / count])))
        shares[i][word] += 1.0 / static_cast<double>(count);
    }
    for (const auto& [word, share] : shares[i]) everywhere[word] += share;
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    std::vector<WordWeight> profile;
    for (const auto& [word, share] : shares[i]) {
      // How much of the word's use is this task's, by how often it is used here.
      const double weight = std::sqrt(share) * share / everywhere[word];
      profile.push_back({.word = word, .weight = weight});
    }
    std::ranges::sort(profile, [](const WordWeight& a, const WordWeight& b) {
      return a.weight != b.weight ? a.weight > b.weight : a.word < b.word;
    });
    profile.resize(std::min(profile.size(), words_max));
    double norm = 0;
    for (const WordWeight& entry : profile) norm += entry.weight * entry.weight;
    for (WordWeight& entry : profile) entry.weight /= std::sqrt(norm);
    tasks[i].profile = std::move(profile);
  }
}

}  // namespace understudy::s3
