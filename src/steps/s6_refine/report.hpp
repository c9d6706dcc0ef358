// What small models took over, what that saved, and how sure we are: facts from the call log
// (curator's key) and the metadata store, as JSON for scripts and as one self-contained page for
// people. Money is in dollars of the price table; models without a price are named, not guessed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "economics/balance.hpp"
#include "economics/savings.hpp"
#include "records/evaluation.hpp"
#include "records/policy.hpp"
#include "records/task.hpp"
#include "records/watch.hpp"
#include "steps/s6_refine/traffic.hpp"

namespace understudy::s6 {

struct TaskReport {
  TaskId id;
  std::string name;
  AnswerForm answer_form = AnswerForm::text;
  bool live = false;                     // a small model may answer
  RouteMode mode = RouteMode::off;       // what is left of the policy's under the vetoes
  std::optional<TaskWatch> watch;        // what the gateway saw since it was decided
  std::string model;                     // "classifier 1a2b3c4d", empty where none was evaluated
  std::string metrics_json;              // of its training
  std::optional<Evaluation> evaluation;  // of the model that is live, else the newest
  std::string reason;                    // why a small model answers, or why the LLM keeps it
  TaskTraffic traffic;
  economics::Savings savings;
};

// Calls that repeat an earlier one word for word and got the same answer: an exact-match cache
// saves them without any model. Counted over the current data set, not over the log.
struct CacheHits {
  std::int64_t calls = 0;  // of the data set, repeats counted
  std::int64_t hits = 0;
  double share_of_tokens = 0;
  double share_of_cost = 0;  // of calls with a price
};

struct Report {
  UnixMicros made_at;
  UnixMicros first_call;
  UnixMicros last_call;
  std::int64_t calls = 0;
  std::int64_t calls_without_usage = 0;  // of the LLM; their tokens and money count as 0
  economics::Savings all;
  std::optional<UnixMicros> promoted_at;  // when the first small model went live
  economics::Savings since_promotion;
  economics::Balance balance;  // since then; of everything while nothing is live
  std::int64_t fallbacks = 0;  // asked of a small model and paid for at the LLM after all
  std::int64_t audits = 0;     // accepted calls that the LLM was asked too
  MicroUsd audit_cost;
  double training_s = 0;            // of the models that there are
  std::string cheaper_model;        // that prices.toml names as a baseline
  std::optional<CacheHits> cache;   // nothing: no data set, or it cannot be read here
  std::vector<Demotion> demotions;  // the newest first
  std::vector<TaskReport> tasks;    // most calls first
  TaskTraffic unassigned;
  std::vector<TimeBucket> over_time;
  std::map<std::string, std::int64_t> unpriced_models;  // calls by model
  std::vector<economics::Price> prices;                 // that were used
  double machine_usd_per_hour = 0;
  std::vector<std::string> warnings;  // damaged or cut parts of the log
};

struct ReportOptions {
  std::size_t time_buckets = 48;
};

Result<Report> make_report(const store::Home& home, const ReportOptions& options);

json::value to_json(const Report& report);
std::string to_html(const Report& report);  // one page; loads nothing, runs nothing

}  // namespace understudy::s6
