// The evidence that decides: what a trained model did on calls that it had not seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace understudy {

enum class Verdict {
  convert,          // the certificate holds: P(disagreement among kept calls <= alpha) >= 1 - delta
  needs_more_data,  // it could hold with more calls
  keep_llm,         // it does not hold, and more calls of the same quality would not help
};

// Agreement with the teacher among the calls that the model keeps at a threshold.
struct Agreement {
  std::int64_t calls = 0;   // of the split
  std::int64_t kept = 0;    // confidence >= threshold
  std::int64_t agreed = 0;  // of the kept
  double lower = 0;         // Clopper-Pearson interval of agreed / kept at 95 %
  double upper = 1;

  [[nodiscard]] double rate() const {
    return kept == 0 ? 0 : static_cast<double>(agreed) / static_cast<double>(kept);
  }
  [[nodiscard]] double coverage() const {
    return calls == 0 ? 0 : static_cast<double>(kept) / static_cast<double>(calls);
  }
};

// A judge model's word on kept test calls whose answers differ (quality/judgement.hpp). Stands
// beside the agreement and decides nothing.
struct JudgedQuality {
  std::string judge;  // the model that judged; empty: nobody was asked
  std::int64_t calls = 0;
  std::int64_t equal = 0;
  std::int64_t slm_better = 0;
  std::int64_t llm_better = 0;
  std::int64_t inconsistent = 0;
};

// How alike free texts are, over the kept test calls (quality/text_similarity.hpp); means.
struct TextSimilarity {
  std::int64_t calls = 0;
  double chrf = 0;
  double rouge_l = 0;
};

// What an exact-match cache does with the task's held-out calls: it answers each repeated request
// with what was answered first. Repeats counted; in expectation over the order of the calls.
struct CacheBaseline {
  double calls = 0;
  double hits = 0;
  double agreed = 0;  // of the hits: what the LLM answered that time, too
  [[nodiscard]] double share() const { return calls > 0 ? hits / calls : 0; }
};

// A cheaper API model that the user named, asked about test calls; it takes all of a task's calls.
struct CheaperBaseline {
  std::string model;  // empty: none was asked
  Agreement answers;
  bool proven = false;  // its disagreement is at most alpha, at level delta
};

// Dollars a call of the task, by the price table and the machine's price; 0: not known.
struct CallPrices {
  double llm = 0;
  double slm = 0;  // the time of an answer, of a machine that is always busy
  double cheaper = 0;
};

// Success of the kept test calls that somebody rated. A small model's answer that differs from the
// LLM's is taken for a failure, because nobody tried it.
struct OutcomeComparison {
  std::int64_t calls = 0;
  std::int64_t llm_right = 0;
  std::int64_t only_llm_right = 0;
  double difference_lower = 0;  // of the success rates, SLM minus LLM, at level delta
  double margin = 0;            // loss that is accepted
  bool non_inferior = false;
};

struct Evaluation {
  TaskId task;
  ArtifactId artifact;
  UnixMicros made_at;
  double alpha = 0.05;    // disagreement that is accepted among kept calls
  double delta = 0.1;     // chance that the bound is wrong
  double threshold = 2;   // accept when confidence >= threshold; above 1: accept nothing
  Agreement calibration;  // sets the threshold
  Agreement test;         // looked at once, beside it
  Verdict verdict = Verdict::keep_llm;
  std::int64_t calls_needed = 0;  // for needs_more_data: further calibration calls
  std::string reason;
  double slm_latency_ms_median = 0;
  double llm_latency_ms_median = 0;
  JudgedQuality judged = {};
  TextSimilarity similarity = {};
  CacheBaseline cache = {};
  CheaperBaseline cheaper = {};
  CallPrices prices = {};
  OutcomeComparison outcomes = {};
  std::string beaten_by;  // "cache" or "cheaper_model": why a proven model is not recommended
};

std::string_view to_string(Verdict verdict);
json::value to_json(const Agreement& agreement);
json::value to_json(const Evaluation& evaluation);
Result<Evaluation> evaluation_from_json(const json::value& tree);

}  // namespace understudy
