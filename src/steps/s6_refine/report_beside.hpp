// What stands beside a task's agreement in the report: what a cache and a cheaper API model would
// do, task success, and how agreement grew with the examples. Escaped HTML, empty where nothing was
// measured. Private to steps/s6_refine.
#pragma once

#include <string>

#include "records/evaluation.hpp"

namespace understudy::s6 {

std::string beside_agreement(const Evaluation& evaluation);
// The learning curve of a model's training figures: would more calls help?
std::string learning_line(const std::string& metrics_json);

}  // namespace understudy::s6
