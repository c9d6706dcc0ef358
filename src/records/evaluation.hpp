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
};

std::string_view to_string(Verdict verdict);
json::value to_json(const Agreement& agreement);
json::value to_json(const Evaluation& evaluation);
Result<Evaluation> evaluation_from_json(const json::value& tree);

}  // namespace understudy
