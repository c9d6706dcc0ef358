// Figures as people read them in terminals, logs and reasons. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace understudy {

std::string percent(double share);           // 0.1234 -> "12.3 %"
std::string thousands(std::int64_t number);  // 12345 -> "12,345"
std::string gibibytes(double bytes);         // 8e9 -> "7.45 GiB"

}  // namespace understudy
