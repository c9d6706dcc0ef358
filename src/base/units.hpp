// Quantities that must not be mixed up across a header boundary. Plain integers inside, no
// arithmetic between different units.
#pragma once

#include <compare>
#include <cstdint>

namespace understudy {

// Microseconds since 1970-01-01 UTC; zero means "not known".
struct UnixMicros {
  std::int64_t value = 0;
  auto operator<=>(const UnixMicros&) const = default;
  [[nodiscard]] bool known() const { return value != 0; }
};

// A millionth of a US dollar. Prices per million tokens in dollars are exactly micro-dollars per
// token.
struct MicroUsd {
  double value = 0;
  auto operator<=>(const MicroUsd&) const = default;
  MicroUsd& operator+=(MicroUsd other) {
    value += other.value;
    return *this;
  }
};

}  // namespace understudy
