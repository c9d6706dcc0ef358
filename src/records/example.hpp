// A call after curation (S2): pseudonymised, filtered, de-duplicated, put into a split. This is
// what clustering reads and what models are trained and judged on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"
#include "records/call.hpp"

namespace understudy {

// Training data, data that sets a confidence threshold, and data that nobody looks at until the
// end.
enum class Split { train, calibration, test };

struct Example {
  CallId call;
  SessionId session;
  UnixMicros started_at;
  Split split = Split::train;
  // The same for all calls that must stay in one split; drawn at random, for whoever needs only a
  // part of a split (TaskSplits).
  std::uint32_t rank = 0;
  std::string model;    // the teacher's name
  SecretText request;   // JSON text, surrogates in place of personal data
  SecretText response;  // JSON text, the same surrogates
  Usage usage;
  std::int64_t latency_us = 0;
  std::int64_t repeats = 1;  // how many identical calls this one stands for
  // How many calls asked the same, with whatever answers: repeats of asked is this answer's share
  // of the votes.
  std::int64_t asked = 1;
  std::optional<double> reward = std::nullopt;  // task success, where somebody said so
};

std::string_view to_string(Split split);
Result<Split> parse_split(std::string_view text);

json::value to_json(const Example& example);
Result<Example> example_from_json(const json::value& tree);

}  // namespace understudy
