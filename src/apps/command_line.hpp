// The grammar of the command line: global options, then one verb with its own. Parsing picks a
// verb's action; then it runs. Options of the control plane's verbs may also stand in
// HOME/understudy.toml under [VERB].
#pragma once

#include <functional>

#include "adapters/store/home.hpp"
#include "base/result.hpp"

namespace CLI {
class App;
}

namespace understudy::apps {

using Action = std::function<Status(const store::Home&)>;
using AddVerbs = void (*)(CLI::App& app, Action& action);

// All of a program's main(): parses, runs the chosen verb, turns an Error into a message on stderr,
// with --json into {"error": {code, exit_code, message, hint}}. Gives the exit code.
int run_command_line(int argc, char** argv, AddVerbs add_verbs);

}  // namespace understudy::apps
