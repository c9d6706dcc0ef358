// One proof for several small tasks, none of which has calls enough for its own: with a chance of
// at least 1 - delta, at most a share alpha of the calls that their models keep *together* disagree
// with the teacher, as long as the tasks come as often as in the calibration calls.
//
// Confidences of different models do not compare, so each call is placed by its rank among its own
// task's confidences: the sequence of tests then keeps the surest part of every task and goes down
// in all of them at once. Ranks are made without labels, which is what keeps the proof of
// certificate.hpp valid. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quality/certificate.hpp"

namespace understudy::quality {

struct PooledCertificate {
  struct Part {
    double threshold = 2;  // of the task's own confidences; above 1: keeps nothing
    std::int64_t kept = 0;
    std::int64_t disagreements = 0;
    // Its own kept calls already disagree too often to be luck (Clopper-Pearson at level delta): it
    // hides behind the others, and the pool is only better without it.
    bool hides = false;
  };
  Certificate pool;  // its threshold is a rank
  Decision decision;
  std::vector<Part> tasks;  // in the order given
};

// `tasks`: the calibration calls of each.
PooledCertificate certify_pool(std::span<const std::vector<Judged>> tasks, Guarantee guarantee);

}  // namespace understudy::quality
