// The core of S2 without a store: calls in, examples and counts out. Deterministic: equal calls and
// key give equal examples, whatever the number of threads.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "records/call.hpp"
#include "records/example.hpp"
#include "steps/s2_curate/curate.hpp"

namespace understudy::s2 {

struct CuratedCalls {
  std::vector<Example> examples;  // in the order of the calls
  CurateReport report;            // without data set, warnings and seconds
};

Result<CuratedCalls> curate_calls(std::vector<Call> calls, const SecretText& pseudonym_key,
                                  const CurateOptions& options);

}  // namespace understudy::s2
