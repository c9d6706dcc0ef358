// Progress on a terminal as a bar with share, rate and time left (FTXUI). base/progress says when a
// line is due, and writes plain lines where there is no terminal.
#pragma once

#include <string>

#include "adapters/terminal/colours.hpp"
#include "base/progress.hpp"

namespace understudy::terminal {

// One line of exactly `columns` cells; no escape sequences without colours.
std::string progress_bar(const ProgressFacts& facts, int columns, Colours colours);

// From now on progress in this process is drawn so. Before any work begins.
void show_progress_as_bar();

}  // namespace understudy::terminal
