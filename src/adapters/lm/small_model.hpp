// A small model that answers a task's calls: the classifier in process, nano and adapters
// through a llama-server. The same code answers in `evaluate` and in the gateway, so that what is
// proven is what runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "records/answer.hpp"

namespace understudy::lm {

struct Prediction {
  Answer answer;
  double confidence =
      0;  // 0..1, higher is surer; only its order counts, the threshold is calibrated
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t latency_us = 0;
};

struct Question {
  std::vector<std::string> slots;  // as PromptTemplate::match() gives them
  std::string grammar = {};  // GBNF that the answer's target is held to, where it is generated
};

class SmallModel {
 public:
  virtual ~SmallModel() = default;
  // Blocking, thread-safe; run it on a pool.
  // timeout/unavailable: the server is away. unsupported: the input is longer than its context.
  virtual Result<Prediction> predict(const Question& question) const = 0;
};

// The text that small models read: the slots, separated. The one place that knows how.
std::string slots_text(const std::vector<std::string>& slots);

}  // namespace understudy::lm
