// The core of S2 without a store: calls in, examples and counts out. The calls are read twice, a
// few at a time; what stays in memory between is about a hundred bytes a call and every personal
// value once. Deterministic: equal calls and key give equal examples, whatever the number of
// threads.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "records/call.hpp"
#include "records/example.hpp"
#include "steps/s2_curate/curate.hpp"
#include "steps/s2_curate/examine_call.hpp"

namespace understudy::s2 {

// Gives all calls in order, each time that it is asked; the second time there may be more of them
// in between, which are left out. conflict where calls of the first time are missing.
struct CallSource {
  std::function<Status(const std::function<Status(Call)>& visit)> visit;
  std::uint64_t calls = 0;  // about; for the progress
};

using ExampleSink = std::function<Status(const Example&)>;

struct CurateInput {
  CallSource source;
  const SecretText& pseudonym_key;
  std::filesystem::path scratch;  // where a nameless temporary file may lie
  KnownTasks tasks = {};
};

// The report is without data set, warnings and seconds.
Result<CurateReport> curate_calls(const CurateInput& input, const CurateOptions& options,
                                  const ExampleSink& sink);

struct CuratedCalls {
  std::vector<Example> examples;  // in the order of the calls
  CurateReport report;
};

// The same in memory.
Result<CuratedCalls> curate_calls(const std::vector<Call>& calls, const SecretText& pseudonym_key,
                                  const CurateOptions& options);

}  // namespace understudy::s2
