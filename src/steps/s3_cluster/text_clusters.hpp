// Groups short texts by what they are about, without being told how many groups there are: hashed
// words and characters (TF-IDF), SVD, a kNN graph without neighbours of the same session, Leiden.
//
// The resolution is the one at which two halves of the features, each clustered on its own, agree
// most: a group that both halves find is there, one that only chance made is not. Agreement is
// adjusted for chance (AMI), so that it does not grow with the number of groups; of about equally
// good resolutions the coarsest is taken. Near-duplicates (equal but for numbers and quoted values)
// are one point. Groups below the minima join the nearest. Deterministic, whatever the order.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "adapters/cluster/matrix.hpp"
#include "base/result.hpp"

namespace understudy::s3 {

struct TextItem {
  std::string_view text;
  std::uint32_t session = 0;
  std::string_view shape = {};  // what the call did; empty: the text alone counts
  std::vector<float> embedding =
      {};  // of the text, length 1; replaces the n-grams where all have it
};

struct TextClusterOptions {
  std::size_t calls_min = 5;
  std::size_t sessions_min = 2;
  std::uint64_t seed = 1;
};

struct ResolutionTried {
  double resolution = 0;
  double agreement = 0;  // AMI of the two halves
  std::size_t groups = 0;
};

struct TextClusters {
  std::vector<std::uint32_t> group;  // of each item, counted from 0
  std::vector<float> margin;         // how much nearer its own group is than the second: 0..1
  cluster::DenseRows coordinates;    // of each item
  std::vector<ResolutionTried> sweep;
  double resolution = 0;
};

Result<TextClusters> cluster_texts(const std::vector<TextItem>& items,
                                   const TextClusterOptions& options);

}  // namespace understudy::s3
