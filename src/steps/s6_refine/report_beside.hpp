// What stands beside a task's agreement in the report: what a cache and a cheaper API model would
// do, and task success. Escaped HTML, empty where nothing was measured. Private to
// steps/s6_refine.
#pragma once

#include <string>

#include "records/evaluation.hpp"

namespace understudy::s6 {

std::string beside_agreement(const Evaluation& evaluation);

}  // namespace understudy::s6
