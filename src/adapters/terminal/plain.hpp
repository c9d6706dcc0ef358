// A picture without colours, bold or dim, for terminals that are to have none (FTXUI writes the
// sixteen basic colours whatever the terminal is said to support). Private to adapters/terminal.
#pragma once

#include <ftxui/dom/elements.hpp>

#include "adapters/terminal/colours.hpp"

namespace understudy::terminal {

// The element as it is, or drawn without any style.
ftxui::Element drawn_in(Colours colours, ftxui::Element element);

}  // namespace understudy::terminal
