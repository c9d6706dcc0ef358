// The calls that a task's model is judged on: those of the calibration and test splits that the
// gateway would give it. Not only the task's own: every call with its tools and response form whose
// prompt fits the template, because that is what will reach the model. Holds plaintext, so it lives
// only as long as one evaluation. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "adapters/lm/small_model.hpp"
#include "adapters/store/home.hpp"
#include "adapters/store/metadata.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "quality/agreement.hpp"
#include "quality/answer_shape.hpp"
#include "quality/small_answer.hpp"
#include "records/answer.hpp"
#include "records/evaluation.hpp"
#include "records/example.hpp"
#include "records/task.hpp"

namespace understudy::s6 {

struct HeldOutCall {
  std::vector<std::string> slots;  // empty for a call of the task that its template does not fit
  Answer teacher;
  quality::AnswerShape shape = {};  // that the request demands
  std::int64_t llm_latency_us = 0;
  std::int64_t repeats = 1;                     // calls that this one stands for
  std::optional<double> reward = std::nullopt;  // task success, where somebody said so
  Usage usage = {};
  std::string llm = {};      // the teacher's name
  std::string request = {};  // as JSON, where it was asked for
};

struct HeldOut {
  std::vector<HeldOutCall> calibration;
  std::vector<HeldOutCall> test;
  std::int64_t unreadable =
      0;                     // of the task, but without a request or an answer that can be compared
  CacheBaseline cache = {};  // over the task's calls of all splits
};

// Whole requests are large; only who asks another API model needs them, and of test calls only.
enum class Requests { drop, keep };

// Those of the data set that was clustered. Needs the trainer's key.
Result<HeldOut> read_held_out(const store::Home& home, const store::Metadata& metadata,
                              const Task& task, Requests requests = Requests::drop);

// The model's answer to such a call, by what the gateway asks with (quality/small_answer.hpp).
Result<lm::Prediction> ask(const lm::SmallModel& model, const HeldOutCall& call,
                           const quality::AnswerManner& manner);

// What a model's answer to such a call counts as; nothing where it is invalid, because the gateway
// would ask the LLM.
std::optional<quality::Judged> judge_prediction(const HeldOutCall& call,
                                                const lm::Prediction& prediction, const Task& task);

// `members`: the calls that clustering assigned to the task.
HeldOut held_out_calls(std::span<const Example> examples, const Task& task,
                       const std::unordered_set<CallId>& members,
                       Requests requests = Requests::drop);

}  // namespace understudy::s6
