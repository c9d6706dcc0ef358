// `understudy serve`: the options of the data plane, on top of understudy.toml.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/command_line.hpp"

namespace understudy::apps {

void add_serve(CLI::App& app, Action& action);

}  // namespace understudy::apps
