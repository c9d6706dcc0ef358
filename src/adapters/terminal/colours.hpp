// Whether a terminal is written to in colour. Pure but for the environment.
#pragma once

namespace understudy::terminal {

enum class Colours { none, some };

// NO_COLOR (no-color.org: set and not empty) and TERM=dumb turn them off.
Colours wanted_colours();

}  // namespace understudy::terminal
