// What stands below each verb's --help: lines that work as they are.
#pragma once

#include <CLI/CLI.hpp>

namespace understudy::apps {

// Examples for every verb of `app` that has some, as its footer.
void add_examples(CLI::App& app);

}  // namespace understudy::apps
