// How well a grouping agrees with known labels: the external measures that clustering is judged by.
// Used by tests and benchmarks only. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace understudy::s3 {

struct Agreement {
  double nmi = 0;     // normalised by the arithmetic mean of the entropies
  double ari = 0;     // adjusted Rand index (Hubert & Arabie 1985)
  double purity = 0;  // share of calls whose group's commonest label is theirs
  std::size_t groups = 0;
  std::size_t labels = 0;
};

// One group and one label number per call.
Agreement agreement(const std::vector<std::uint32_t>& groups,
                    const std::vector<std::uint32_t>& labels);

}  // namespace understudy::s3
