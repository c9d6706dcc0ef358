// S5 as a job of the control plane: see jobs.hpp.
#pragma once

#include <cstdint>
#include <string>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/model.hpp"
#include "steps/s5_tune/tune_base.hpp"

namespace understudy::console {

struct TuneRequest {
  std::string task;  // an id, or an unambiguous beginning of one
  CandidateKind candidate = CandidateKind::nano;
  double minutes_max = 10;
  std::uint64_t seed = 1;
  s5::BaseOptions base = {};  // of the candidate `adapter`
};
Result<json::value> tune(const store::Home& home, const TuneRequest& request);

}  // namespace understudy::console
