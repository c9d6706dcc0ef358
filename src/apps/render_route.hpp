// Routes, refinements and replays as text for people. Pure.
#pragma once

#include <string>

#include "base/json.hpp"

namespace understudy::apps {

std::string render_routes(const json::value& result);
std::string render_refine(const json::value& result);
std::string render_refinements(const json::value& result);
std::string render_replay(const json::value& result);

}  // namespace understudy::apps
