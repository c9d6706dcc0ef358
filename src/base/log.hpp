// The program's own log lines (not the call log), on stderr. Never prompts, answers or keys: those
// are Secret<T> and do not format.
#pragma once

#include <string_view>

namespace understudy::log {

enum class Level { debug, info, warn, error };

void set_level(Level level);
void debug(std::string_view message);
void info(std::string_view message);
void warn(std::string_view message);
void error(std::string_view message);

}  // namespace understudy::log
