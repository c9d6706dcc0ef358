// A small model that answers a task's calls: the classifier in process, nano and adapters
// through a llama-server. The same code answers in `evaluate` and in the gateway, so that what is
// proven is what runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "records/prediction.hpp"

namespace understudy::lm {

using understudy::Prediction;
using understudy::Question;

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
