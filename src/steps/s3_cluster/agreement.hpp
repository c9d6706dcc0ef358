// How well two groupings agree: the external measures that clustering is judged by against known
// labels, and by which text_clusters.hpp compares what two halves of the features see. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace understudy::s3 {

struct Agreement {
  double nmi = 0;     // normalised by the arithmetic mean of the entropies
  double ami = 0;     // adjusted mutual information (Vinh et al. 2010): 0 by chance, whatever k is
  double ari = 0;     // adjusted Rand index (Hubert & Arabie 1985)
  double purity = 0;  // share of calls whose group's commonest label is theirs
  std::size_t groups = 0;
  std::size_t labels = 0;
};

// One group and one label number per call.
Agreement agreement(const std::vector<std::uint32_t>& groups,
                    const std::vector<std::uint32_t>& labels);

}  // namespace understudy::s3
