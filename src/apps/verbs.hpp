// The verbs of the command line. Each adds its sub-command to the parser and, when chosen, leaves
// an action.
#pragma once

#include <functional>

#include "adapters/store/home.hpp"
#include "base/result.hpp"

namespace CLI {
class App;
}

namespace understudy::apps {

using Action = std::function<Status(const store::Home&)>;

// `action` must outlive the parser.
void add_verbs(CLI::App& app, Action& action);

}  // namespace understudy::apps
