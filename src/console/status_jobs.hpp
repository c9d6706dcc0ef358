// Where a home stands, on one screen: what was recorded, which tasks were found and who answers
// them, and what to do next. Looks at metadata only; a key that is missing or a step that was not
// taken is part of the answer and no error.
#pragma once

#include <optional>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

// {"home", "log", "dataset", "tasks", "policy_version", "next"}; "log" is null where nothing can be
// read of it, and "log_problem" says why.
// `log`: what is known of it already, as log_statistics() has it; else it is read.
Result<json::value> status(const store::Home& home, std::optional<json::value> log = {});

}  // namespace understudy::console
