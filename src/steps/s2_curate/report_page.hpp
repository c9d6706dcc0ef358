// What a curation did, as one self-contained HTML page: counts by reason, type and place, and the
// shapes of what was replaced ("Xxxx Xxxx"), never a value. Pure.
#pragma once

#include <string>

#include "steps/s2_curate/curate.hpp"

namespace understudy::s2 {

std::string to_html(const CurateReport& report);

}  // namespace understudy::s2
