// Where a home stands, on one screen: what was recorded, which tasks were found and who answers
// them, and what to do next. Looks at metadata only; a key that is missing or a step that was not
// taken is part of the answer and no error.
#pragma once

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

// {"home", "log", "dataset", "tasks", "policy_version", "next"}; "log" is null where nothing can be
// read of it, and "log_problem" says why.
Result<json::value> status(const store::Home& home);
// The same where the log was read already: `log` as log_statistics() gives it.
Result<json::value> status(const store::Home& home, Result<json::value> log);

}  // namespace understudy::console
