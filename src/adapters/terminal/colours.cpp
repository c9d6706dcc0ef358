#include "adapters/terminal/colours.hpp"

#include <cstdlib>
#include <string_view>

namespace understudy::terminal {

Colours wanted_colours() {
  const char* none = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  if (none != nullptr && *none != '\0') return Colours::none;
  return kind == nullptr || std::string_view(kind) == "dumb" ? Colours::none : Colours::some;
}

}  // namespace understudy::terminal
