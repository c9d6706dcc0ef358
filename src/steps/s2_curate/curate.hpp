// Step S2: the recorded calls become a data set that may be trained on. Personal data is replaced
// by surrogates, secrets are redacted, failed calls and exact duplicates are taken out, sessions
// are split into train, calibration and test. Fails closed: a call in which an original value is
// left is dropped.
//
// curate() needs the curator's secret key and the pseudonym key; it writes a data set that the
// curator and the trainer can open. Runs on the caller's thread with a pool of its own, and reads
// the log twice, so that its memory does not grow with it. Interrupted, it leaves no data set.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/curate_settings.hpp"

namespace understudy::s2 {

struct CurateOptions {
  std::size_t threads = 0;  // 0: one per core
  // Absent: those of understudy.toml in the home.
  std::optional<CurateSettings> settings = {};
};

using Counts = std::map<std::string, std::uint64_t>;

// Of a task and a type that it wants paraphrased, in examples that have values of the type.
struct ParaphraseCounts {
  std::uint64_t examples = 0;
  std::uint64_t varied = 0;
  Counts kept;  // by reason
};

struct CurateReport {
  std::uint64_t calls_read = 0;
  std::uint64_t calls_kept = 0;  // examples with their repeats
  std::uint64_t examples = 0;
  std::uint64_t duplicates = 0;  // calls that an equal example stands for
  std::uint64_t sessions = 0;
  Counts dropped;                                           // calls, by reason
  Counts splits;                                            // examples, by split
  Counts entities;                                          // replaced occurrences, by type
  Counts distinct_values;                                   // by type
  std::map<std::string, Counts> places;                     // replaced, by type and JSON key
  std::map<std::string, std::vector<std::string>> samples;  // shapes of originals, by type
  Counts actions;                                           // types, by action
  std::map<std::string, std::map<std::string, ParaphraseCounts>> paraphrase;  // by task and type
  std::uint64_t asked_again = 0;         // requests that were made more than once
  std::uint64_t with_other_answers = 0;  // of these: the answers differ; kept as votes
  std::uint64_t near_duplicate_groups = 0;
  std::uint64_t near_duplicates = 0;  // kept, in one split with what they are like
  std::uint64_t repaired = 0;         // calls whose bytes were no UTF-8
  DatasetId dataset;
  std::vector<std::string> warnings;  // truncated tails and unreadable segments of the log
  double seconds = 0;
};

json::value to_json(const CurateReport& report);

// not_found for an empty log, corrupt where no call of it can be read, denied on a wrong key.
Result<CurateReport> curate(const store::Home& home, const CurateOptions& options);

}  // namespace understudy::s2
