#include "quality/pooled_certificate.hpp"

#include <algorithm>
#include <functional>

#include "quality/binomial.hpp"

namespace understudy::quality {

namespace {

// In the place of each confidence the share of the task's calls that are at most as sure; equal
// ones share the highest. Failed predictions stay at 0.
std::vector<Judged> ranked(std::span<const Judged> calls) {
  std::vector<double> rising;
  for (const Judged& call : calls) rising.push_back(call.confidence);
  std::ranges::sort(rising);
  std::vector<Judged> ranks(calls.begin(), calls.end());
  for (Judged& call : ranks) {
    if (call.confidence <= 0) continue;
    const auto above = std::ranges::upper_bound(rising, call.confidence);
    call.confidence =
        static_cast<double>(above - rising.begin()) / static_cast<double>(rising.size());
  }
  return ranks;
}

PooledCertificate::Part part_of(std::span<const Judged> calls, std::span<const Judged> ranks,
                                double rank, Guarantee guarantee) {
  PooledCertificate::Part part;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (ranks[i].confidence < rank) continue;
    part.threshold = std::min(part.threshold, calls[i].confidence);
    ++part.kept;
    part.disagreements += calls[i].agrees ? 0 : 1;
  }
  part.hides = part.kept > 0 && lower_bound({.successes = part.disagreements, .trials = part.kept},
                                            guarantee.delta) > guarantee.alpha;
  return part;
}

}  // namespace

PooledCertificate certify_pool(std::span<const std::vector<Judged>> tasks, Guarantee guarantee) {
  std::vector<std::vector<Judged>> ranks;
  std::vector<Judged> pool;
  for (const std::vector<Judged>& calls : tasks) {
    ranks.push_back(ranked(calls));
    pool.append_range(ranks.back());
  }
  PooledCertificate result;
  result.pool = certify(pool, guarantee);
  result.decision = decide(pool, result.pool, guarantee);
  for (std::size_t i = 0; i < tasks.size(); ++i)
    result.tasks.push_back(part_of(tasks[i], ranks[i], result.pool.threshold, guarantee));
  return result;
}

}  // namespace understudy::quality
