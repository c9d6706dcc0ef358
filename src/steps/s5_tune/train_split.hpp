// What a task's model learns from: its calls in the train split whose prompts fit the template, as
// the text that small models read and write. Holds plaintext; lives as long as one tuning. Pure.
#pragma once

#include <span>
#include <unordered_set>
#include <vector>

#include "base/ids.hpp"
#include "records/example.hpp"
#include "records/task.hpp"
#include "steps/s5_tune/training_text.hpp"

namespace understudy::s5 {

// Whether a model learns from the calls that fit the confidence of generated answers, too
// (confidence_fit.hpp); a classifier has no use for them otherwise.
enum class Spared { learned, aside };

// `members`: the calls that clustering assigned to the task.
std::vector<TrainingExample> train_split(std::span<const Example> examples, const Task& task,
                                         const std::unordered_set<CallId>& members,
                                         Spared spared = Spared::learned);

// For closed answer sets: every answer in the spelling that the teacher used most for it, so that
// the model answers in the teacher's words.
void unify_spelling(std::vector<TrainingExample>& examples);

}  // namespace understudy::s5
