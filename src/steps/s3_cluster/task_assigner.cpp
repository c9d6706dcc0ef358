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

constexpr std::size_t message_bytes_max = 640;

// The front of the message that begins with the role line before `end`, and where that is.
std::string_view message_before(std::string_view prompt, std::size_t end) {
  const std::size_t role = prompt.substr(0, end).rfind("\n<|");
  const std::size_t begin = role == std::string_view::npos ? 0 : role + 1;
  return prompt.substr(begin, std::min(message_bytes_max, end - begin));
}

// What was asked last, and what it followed: the fronts of the last two messages.
std::vector<std::string_view> last_messages(std::string_view prompt) {
  const std::string_view last = message_before(prompt, prompt.size());
  const auto begin = static_cast<std::size_t>(last.data() - prompt.data());
  if (begin == 0) return {last};
  return {last, message_before(prompt, begin - 1)};
}

// Lower-case words of the last messages as hashes, each once, sorted.
std::vector<std::uint32_t> words_of(std::string_view prompt) {
  std::vector<std::uint32_t> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(hash32(word));
    word.clear();
  };
  for (const std::string_view text : last_messages(prompt)) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (std::isalnum(byte) != 0 || byte >= 0x80 || c == '_') {
        word += static_cast<char>(std::tolower(byte));
      } else {
        finish();
      }
    }
    finish();
  }
  std::ranges::sort(words);
  const auto repeated = std::ranges::unique(words);
  words.erase(repeated.begin(), repeated.end());
  return words;
}

// No template tells them apart: equal ones, or those of one place in the code whose answers differ.
bool are_siblings(const Task& a, const Task& b) {
  if (a.key.tools != b.key.tools || a.key.response_form != b.key.response_form) return false;
  return a.prompt_template == b.prompt_template ||
         (!a.separable && !b.separable && a.lines == b.lines);
}

}  // namespace

TaskAssigner::TaskAssigner(const std::vector<Task>& tasks) : tasks_(tasks) {
  for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = tasks_[i];
    Group& group = groups_[{task.key.tools, task.key.response_form}];
    constexpr std::size_t lines_min = 3;
    if (task.lines.size() >= lines_min) {
      for (const std::uint32_t line : task.lines) group.lines[line].push_back(i);
    }
    const auto shape = std::ranges::find_if(group.shapes, [&](const Shape& known) {
      return are_siblings(tasks_[known.tasks.front()], task);
    });
    Shape& own = shape != group.shapes.end() ? *shape : group.shapes.emplace_back();
    own.tasks.push_back(i);
    own.constant_bytes = std::max(own.constant_bytes, task.prompt_template.constant_bytes());
    const auto place = static_cast<std::uint32_t>(own.tasks.size() - 1);
    for (const WordWeight& entry : task.profile)
      own.words[entry.word].emplace_back(place, entry.weight);
  }
  for (auto& [key, group] : groups_) {
    std::ranges::stable_sort(group.shapes, std::greater{}, &Shape::constant_bytes);
  }
}

Placement TaskAssigner::assign(std::string_view prompt, const StructureKey& key) const {
  const auto group = groups_.find({key.tools, key.response_form});
  if (group == groups_.end()) return {};
  for (const Shape& shape : group->second.shapes) {
    if (matches(shape, prompt)) return by_words(shape, prompt);
  }
  return by_lines(group->second, prompt);
}

bool TaskAssigner::matches(const Shape& shape, std::string_view prompt) const {
  return std::ranges::any_of(shape.tasks, [&](std::uint32_t task) {
    return tasks_[task].prompt_template.matches(prompt);
  });
}

Placement TaskAssigner::by_words(const Shape& shape, std::string_view prompt) const {
  const std::uint32_t only = shape.tasks.front();
  if (shape.tasks.size() == 1)
    return {.task = only, .confidence = tasks_[only].separable ? 1 : 0.5};
  // Naive Bayes over the words that were heard, with the tasks' sizes as prior.
  std::vector<double> scores;
  for (const std::uint32_t task : shape.tasks)
    scores.push_back(std::log(1.0 + static_cast<double>(tasks_[task].statistics.calls)));
  for (const std::uint32_t word : words_of(prompt)) {
    const auto known = shape.words.find(word);
    if (known == shape.words.end()) continue;
    for (const auto& [place, weight] : known->second) scores[place] += weight;
  }
  const auto best = std::ranges::max_element(scores);
  double others = 0;
  for (const double score : scores) others += std::exp(score - *best);
  const auto place = static_cast<std::size_t>(best - scores.begin());
  constexpr double surest = 0.9;  // words are no template
  return {.task = shape.tasks[place], .confidence = surest / others};
}

Placement TaskAssigner::by_lines(const Group& group, std::string_view prompt) const {
  constexpr std::size_t lines_looked_at = 128;
  constexpr std::size_t line_bytes_max = 512;
  constexpr double share_min = 0.6;
  if (group.lines.empty()) return {};
  std::set<std::uint32_t> seen;
  std::map<std::uint32_t, std::size_t> held;  // lines of each task that the prompt has
  std::size_t looked_at = 0;
  for (std::size_t at = 0; at < prompt.size() && looked_at < lines_looked_at;) {
    const std::size_t end = std::min(prompt.find('\n', at), prompt.size());
    const std::string_view line = prompt.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line.size() > line_bytes_max) continue;
    ++looked_at;
    const std::uint32_t hash = hash32(mask_line(line));
    const auto known = group.lines.find(hash);
    if (known == group.lines.end() || !seen.insert(hash).second) continue;
    for (const std::uint32_t task : known->second) ++held[task];
  }
  Placement best;
  for (const auto& [task, count] : held) {
    const double share =
        static_cast<double>(count) / static_cast<double>(tasks_[task].lines.size());
    if (share >= share_min && 0.5 * share > best.confidence)
      best = {.task = task, .confidence = 0.5 * share};
  }
  return best;
}

namespace {

constexpr std::size_t prompts_looked_at = 400;
constexpr std::size_t words_max = 256;
constexpr double unseen = 0.02;  // share of the prompts that an unseen word is taken to be in

using Shares = std::map<std::uint32_t, double>;  // of a task's prompts that have the word

Shares shares_of(const std::vector<std::string_view>& prompts) {
  Shares shares;
  const std::size_t count = std::min(prompts.size(), prompts_looked_at);
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::uint32_t word : words_of(prompts[i * prompts.size() / count]))
      shares[word] += 1.0 / static_cast<double>(count);
  }
  return shares;
}

// How much a word speaks for the task against those that it could be taken for.
std::vector<WordWeight> profile_of(const Shares& shares, const Shares& mean) {
  std::vector<std::pair<double, WordWeight>> ranked;
  for (const auto& [word, usual] : mean) {
    const auto own = shares.find(word);
    const double share = own == shares.end() ? 0 : own->second;
    const double weight = std::log((share + unseen) / (usual + unseen));
    ranked.push_back({-std::abs(weight) * (share + usual), {.word = word, .weight = weight}});
  }
  std::ranges::sort(ranked, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second.word < b.second.word;
  });
  std::vector<WordWeight> profile;
  for (const auto& [rank, entry] : ranked) {
    if (profile.size() < words_max && rank < 0) profile.push_back(entry);
  }
  return profile;
}

}  // namespace

void make_profiles(std::vector<Task>& tasks,
                   const std::vector<std::vector<std::string_view>>& prompts) {
  CHECK(tasks.size() == prompts.size(), "prompts for each task");
  std::vector<bool> done(tasks.size());
  for (std::size_t first = 0; first < tasks.size(); ++first) {
    if (done[first]) continue;
    std::vector<std::size_t> alike;
    for (std::size_t i = first; i < tasks.size(); ++i) {
      if (!done[i] && are_siblings(tasks[first], tasks[i])) {
        alike.push_back(i);
        done[i] = true;
      }
    }
    if (alike.size() < 2) continue;
    std::vector<Shares> shares;
    Shares mean;
    for (const std::size_t i : alike) {
      shares.push_back(shares_of(prompts[i]));
      for (const auto& [word, share] : shares.back())
        mean[word] += share / static_cast<double>(alike.size());
    }
    for (std::size_t i = 0; i < alike.size(); ++i)
      tasks[alike[i]].profile = profile_of(shares[i], mean);
  }
}

}  // namespace understudy::s3
