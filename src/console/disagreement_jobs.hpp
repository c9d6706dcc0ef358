// Where a task's model and the LLM disagree, on the calls that set its threshold (the calibration
// split; the test split stays unseen): how agreement and coverage trade off, which answers are
// confused, and the calls themselves. Content: needs the trainer's key and leaves its trace in the
// audit trail. Asks the model about some hundred calls, so it takes seconds.
#pragma once

#include <string>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

// {"artifact","threshold","calls","kept","agreed",
//  "curve": [{"threshold","coverage","agreement"}], by falling threshold;
//  "confusion": [{"teacher","student","calls"}] of closed answers, most often first;
//  "disagreements": [{"slots","teacher","student","confidence","kept"}], surest first}
Result<json::value> show_disagreements(const store::Home& home, const std::string& task);

}  // namespace understudy::console
