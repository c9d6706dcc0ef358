// The evidence that decides: what a trained model did on calls that it had not seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "records/model_endpoint.hpp"
#include "records/self_consistency.hpp"

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

// What an exact-match cache would do with the task's recorded calls, repeats counted: a call that
// asks what an earlier one asked gets that one's answer.
struct CacheBaseline {
  std::int64_t calls = 0;
  std::int64_t hits = 0;
  std::int64_t agreed = 0;    // hits on which the LLM answered the same again
  double share_of_model = 0;  // of the task's calls, repeats counted, that the small model keeps

  [[nodiscard]] double share() const {
    return calls == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(calls);
  }
  [[nodiscard]] double rate() const {
    return hits == 0 ? 0 : static_cast<double>(agreed) / static_cast<double>(hits);
  }
};

// A cheaper API model that was asked the same test calls.
struct CheaperBaseline {
  std::string model;  // empty: nobody was asked
  std::int64_t calls = 0;
  std::int64_t agreed = 0;  // with the LLM; it answers every call, so that nothing is kept back
  double lower = 0;         // Clopper-Pearson interval of agreed / calls at 95 %
  double upper = 1;
  double usd_per_call = 0;      // at list prices and the LLM's token counts; 0: no price
  double llm_usd_per_call = 0;  // of the same calls

  [[nodiscard]] double rate() const {
    return calls == 0 ? 0 : static_cast<double>(agreed) / static_cast<double>(calls);
  }
};

// Task success, where calls have a reward: a paired non-inferiority test of the task with its small
// model (calls that it does not keep go to the LLM) against the LLM alone, on the test calls. An
// answer that differs from the LLM's was never tried, so it counts as a failure: the true
// difference is higher.
struct OutcomeTest {
  std::int64_t calls = 0;           // test calls with a reward; 0: the test was not made
  std::int64_t llm_right = 0;       // reward above 0
  std::int64_t only_llm_right = 0;  // of those, kept and answered otherwise by the small model
  double difference = 0;            // success rate of the small model less that of the LLM
  double difference_lower = -1;     // the true one lies below with a chance of at most delta
  double margin = 0;                // loss that is accepted
  bool holds = false;               // difference_lower >= -margin
};

struct Evaluation {
  TaskId task;
  ArtifactId artifact;
  UnixMicros made_at;
  double alpha = 0.05;   // disagreement that is accepted among kept calls
  double delta = 0.1;    // chance that the bound is wrong
  double threshold = 2;  // accept when confidence >= threshold; above 1: accept nothing
  SelfConsistency self_consistency = {};                 // how the model was asked
  std::optional<ModelEndpoint> endpoint = std::nullopt;  // that answered; else our own server
  // The model has a confidence of its own (records/confidence_model.hpp); this share of the
  // calibration calls would be kept by the probability of the least sure token, at the same alpha
  // and delta. A figure: which confidence is used was settled before.
  std::optional<double> plain_coverage = std::nullopt;
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
  OutcomeTest outcomes = {};
  // The tasks that share this proof (quality/pooled_certificate.hpp); empty: it has one of its own.
  std::vector<TaskId> pool = {};
};

std::string_view to_string(Verdict verdict);
json::value to_json(const Agreement& agreement);
json::value to_json(const Evaluation& evaluation);
Result<Evaluation> evaluation_from_json(const json::value& tree);

}  // namespace understudy
