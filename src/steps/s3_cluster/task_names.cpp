#include "steps/s3_cluster/task_names.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "base/check.hpp"
#include "steps/s3_cluster/common_runs.hpp"

namespace understudy::s3 {

namespace {

constexpr std::size_t words_named = 4;

bool is_stop_word(std::string_view word) {
  static constexpr std::string_view stop_words[] = {
      "about",  "after", "also",  "and",   "any",   "are",       "based",   "can",       "for",
      "from",   "given", "has",   "have",  "here",  "into",      "its",     "more",      "must",
      "not",    "now",   "only",  "one",   "other", "our",       "out",     "role",      "should",
      "system", "that",  "the",   "their", "them",  "then",      "there",   "these",     "they",
      "this",   "user",  "use",   "using", "was",   "what",      "when",    "which",     "who",
      "will",   "with",  "would", "you",   "your",  "assistant", "helpful", "following", "please",
      "each",   "all",   "but",   "does",  "how",   "may"};
  return std::ranges::contains(stop_words, word);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view token : tokens_of(text, TokenKind::word)) {
    if (token.size() < 3 || token.size() > 24) continue;
    if (!std::ranges::all_of(
            token, [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; })) {
      continue;
    }
    std::string word;
    for (const char c : token)
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!is_stop_word(word)) words.push_back(std::move(word));
  }
  return words;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator,
                   std::size_t shown_max) {
  std::string text;
  for (std::size_t i = 0; i < std::min(parts.size(), shown_max); ++i)
    text += (i > 0 ? std::string(separator) : "") + parts[i];
  if (parts.size() > shown_max) text += std::string(separator) + "...";
  return text;
}

std::string output_of(const Task& task) {
  switch (task.answer_form) {
    case AnswerForm::label:
      return task.answer_set.size() <= 4 ? joined(task.answer_set, " | ", 4)
                                         : "label of " + std::to_string(task.answer_set.size());
    case AnswerForm::tool_call: return "call " + joined(task.tool_names, " | ", 4);
    case AnswerForm::json: return "JSON";
    case AnswerForm::text: return "text";
  }
  return {};
}

}  // namespace

void name_tasks(std::vector<Task>& tasks, const std::vector<std::string>& prompts) {
  CHECK(tasks.size() == prompts.size(), "one prompt's worth of words per task");
  std::vector<std::map<std::string, double>> counts(tasks.size());
  std::map<std::string, double> tasks_with;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    std::string constants;
    for (const std::string& constant : tasks[i].prompt_template.constants())
      constants += constant + "\n";
    std::vector<std::string> words = words_of(constants);
    if (words.size() < 2) words = words_of(prompts[i]);
    // Instructions stand in front: an early word counts more.
    for (std::size_t at = 0; at < words.size(); ++at)
      counts[i][words[at]] += 1.0 / std::sqrt(10.0 + static_cast<double>(at));
    for (const auto& [word, count] : counts[i]) tasks_with[word] += 1;
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    std::vector<std::pair<double, std::string>> ranked;
    for (const auto& [word, count] : counts[i]) {
      const double rarity = std::log(1.0 + static_cast<double>(tasks.size()) / tasks_with[word]);
      ranked.emplace_back(-std::sqrt(count) * rarity, word);
    }
    std::ranges::sort(ranked);
    std::vector<std::string> words;
    for (const auto& [score, word] : ranked) {
      if (words.size() < words_named) words.push_back(word);
    }
    tasks[i].name =
        joined(words, " ", words_named) + (words.empty() ? "" : " -> ") + output_of(tasks[i]);
  }
}

}  // namespace understudy::s3
