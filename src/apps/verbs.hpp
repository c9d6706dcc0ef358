// The verbs of the command line. Each adds its sub-command to the parser and, when chosen, leaves
// an action.
#pragma once

#include "apps/command_line.hpp"

namespace understudy::apps {

// `action` must outlive the parser.
void add_verbs(CLI::App& app, Action& action);
void add_access_verbs(CLI::App& app, Action& action);
void add_route_verbs(CLI::App& app, Action& action);  // what is live, and how far
// `init` and `doctor`.
void add_setup_verbs(CLI::App& app, Action& action);
// `completion` and `reference`: made from the parser itself, so they come last.
void add_reference_verbs(CLI::App& app, Action& action);
// `console` and `up`.
void add_console_verbs(CLI::App& app, Action& action);

}  // namespace understudy::apps
