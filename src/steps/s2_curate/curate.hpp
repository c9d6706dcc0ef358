// Step S2: the recorded calls become a data set that may be trained on. Personal data is replaced
// by surrogates, secrets are redacted, failed calls and exact duplicates are taken out, sessions
// are split into train, calibration and test. Fails closed: a call in which an original value is
// left is dropped.
//
// curate() needs the curator's secret key and the pseudonym key; it writes a data set that the
// curator and the trainer can open. Runs on the caller's thread with a pool of its own; the calls
// of the log are held in memory meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/detect/custom_rules.hpp"

namespace understudy::s2 {

struct CurateOptions {
  std::size_t threads = 0;             // 0: one per core
  std::vector<CustomRule> rules = {};  // besides those of understudy.toml, which curate() reads
};

struct CurateReport {
  std::uint64_t calls_read = 0;
  std::uint64_t calls_kept = 0;  // examples with their repeats
  std::uint64_t examples = 0;
  std::uint64_t duplicates = 0;  // calls that an equal example stands for
  std::uint64_t sessions = 0;
  std::map<std::string, std::uint64_t> dropped;          // calls, by reason
  std::map<std::string, std::uint64_t> splits;           // examples, by split
  std::map<std::string, std::uint64_t> entities;         // replaced occurrences, by type
  std::map<std::string, std::uint64_t> distinct_values;  // by type
  DatasetId dataset;
  std::vector<std::string> warnings;  // truncated tails and unreadable segments of the log
  double seconds = 0;
};

json::value to_json(const CurateReport& report);

// not_found for an empty log, corrupt where no call of it can be read, denied on a wrong key.
Result<CurateReport> curate(const store::Home& home, const CurateOptions& options);

}  // namespace understudy::s2
