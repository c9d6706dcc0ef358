// Vectors of texts are compared by their direction alone. Private to adapters/lm. Pure.
#pragma once

#include <cmath>
#include <vector>

namespace understudy::lm {

// Brings the vector to length 1; false where it has none, or is not finite.
inline bool to_unit_length(std::vector<float>& vector) {
  double norm = 0;
  for (const float value : vector) norm += static_cast<double>(value) * value;
  if (!std::isfinite(norm) || norm <= 0) return false;
  for (float& value : vector) value = static_cast<float>(value / std::sqrt(norm));
  return true;
}

}  // namespace understudy::lm
