// Candidates that S4 proposes for a task, and the artifacts that S5 makes of them.
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
#include "records/confidence_model.hpp"

namespace understudy {

enum class CandidateKind {
  classifier,  // linear model over n-grams, for closed answer sets; runs in process
  nano,     // a small llama-architecture transformer trained from scratch; served by llama-server
  adapter,  // LoRA on a base SLM; needs the base's weights on this machine
};

struct Candidate {
  CandidateKind kind = CandidateKind::nano;
  std::string name;  // "nano", "classifier", or the catalogue's model name
  bool eligible = false;
  std::vector<std::string> reasons;  // why it ranks where it does, or why it is out
  double score = 0;                  // ranks eligible candidates, higher first
  std::int64_t memory_bytes = 0;     // weights + KV cache at the task's p99 context
  double call_ms_p99 = 0;            // a call of the task's 99th percentile, alone; 0: not known
  bool speed_measured = false;       // else call_ms_p99 is a lower bound (roofline)
};

// A trained model in home/artifacts/ID/: model.gguf (nano), classifier.bin, or served.json with
// what it names (adapter), and artifact.json.
struct Artifact {
  ArtifactId id;
  TaskId task;
  CandidateKind kind = CandidateKind::nano;
  UnixMicros made_at;
  DatasetId dataset;          // lineage
  std::string template_hash;  // the prompt template that it was trained for
  std::string config_json;    // hyperparameters and seed
  std::string metrics_json;   // loss, validation agreement, seconds, tokens/s
  // How its answers' signs become a confidence; nothing in classifiers, in artifacts of before, and
  // where too few calls could be spared to learn it.
  std::optional<ConfidenceModel> confidence = std::nullopt;
};

std::string_view to_string(CandidateKind kind);
Result<CandidateKind> parse_candidate_kind(std::string_view text);

json::value to_json(const Candidate& candidate);
json::value to_json(const Artifact& artifact);
Result<Artifact> artifact_from_json(const json::value& tree);

}  // namespace understudy
