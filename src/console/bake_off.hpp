// `select --bake-off`: trains a task's eligible candidates and lets them compete by successive
// halving (Jamieson and Talwalkar, arXiv 1502.07943): every round the better half goes on with
// twice the time. They are compared on the calibration calls, by the share of them that is
// certified; so that the winner's certificate holds although it was picked on the same calls, each
// of the k candidates is certified at delta / k (the union bound). Needs the trainer's key.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

struct BakeOffRequest {
  std::string task;  // an id, or an unambiguous beginning of one
  double alpha = 0.05;
  double delta = 0.1;       // of the winner's certificate
  double minutes_max = 10;  // of training, for the winner; what goes out earlier has had less
};

// {"task", "rounds": [{"minutes", "contenders"}], "winner": its evaluation}. The winner's artifact
// is the task's newest. not_found where no candidate is eligible; one that cannot be trained is
// out.
Result<json::value> bake_off(const store::Home& home, const BakeOffRequest& request);

// Which of the contenders go on, in their order: the better half, of equals the first. Pure.
std::vector<std::size_t> survivors(std::span<const double> scores);

}  // namespace understudy::console
