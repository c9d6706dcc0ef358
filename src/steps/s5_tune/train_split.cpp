#include "steps/s5_tune/train_split.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "adapters/lm/small_model.hpp"
#include "adapters/wire/chat.hpp"
#include "base/json.hpp"
#include "records/answer.hpp"
#include "records/task_splits.hpp"

namespace understudy::s5 {

namespace {

constexpr double weight_max = 1000;  // what a training line may say

std::string canonical_label(const std::string& text) {
  return to_canonical(Answer{.text = text, .tool_calls = {}}, AnswerForm::label);
}

}  // namespace

std::vector<TrainingExample> train_split(std::span<const Example> examples, const Task& task,
                                         const std::unordered_set<CallId>& members, Spared spared) {
  const TaskSplits splits(examples, members);
  std::vector<TrainingExample> training;
  for (const Example& example : examples) {
    if (splits.of(example) != Split::train || !members.contains(example.call)) continue;
    if (spared == Spared::aside && splits.fits_confidence(example)) continue;
    const auto request = json::parse(example.request.reveal());
    const auto response = json::parse(example.response.reveal());
    if (!request || !response) continue;
    const auto slots = task.prompt_template.match(wire::prompt_text(*request));
    const auto answer = wire::parse_answer(*response);
    if (!slots || !answer) continue;
    std::string target = to_target(*answer);
    TokenGuesses guesses = guesses_of_response(*response, target);
    training.push_back({.prompt = lm::slots_text(*slots),
                        .answer = std::move(target),
                        .weight = std::clamp(static_cast<double>(example.repeats), 1.0, weight_max),
                        .guesses = std::move(guesses)});
  }
  return training;
}

void unify_spelling(std::vector<TrainingExample>& examples) {
  std::map<std::string, std::map<std::string, double>>
      spellings;  // canonical label -> spelling -> weight
  for (const TrainingExample& example : examples) {
    spellings[canonical_label(example.answer)][example.answer] += example.weight;
  }
  for (TrainingExample& example : examples) {
    const auto& known = spellings[canonical_label(example.answer)];
    example.answer =
        std::ranges::max_element(known, {}, [](const auto& entry) { return entry.second; })->first;
  }
}

}  // namespace understudy::s5
