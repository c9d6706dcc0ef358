#include "records/model.hpp"

namespace understudy {

std::string_view to_string(CandidateKind kind) {
  switch (kind) {
    case CandidateKind::classifier: return "classifier";
    case CandidateKind::nano: return "nano";
    case CandidateKind::adapter: return "adapter";
  }
  return "nano";
}

Result<CandidateKind> parse_candidate_kind(std::string_view text) {
  for (const auto kind : {CandidateKind::classifier, CandidateKind::nano, CandidateKind::adapter}) {
    if (text == to_string(kind)) return kind;
  }
  return fail(ErrorCode::invalid_input, "no such kind of candidate: " + std::string(text),
              "choose classifier, nano or adapter; `understudy select TASK` says which fit");
}

json::value to_json(const Candidate& candidate) {
  json::array reasons;
  for (const std::string& reason : candidate.reasons) reasons.emplace_back(reason);
  return json::object{{"kind", to_string(candidate.kind)},
                      {"name", candidate.name},
                      {"eligible", candidate.eligible},
                      {"reasons", std::move(reasons)},
                      {"score", candidate.score},
                      {"memory_bytes", candidate.memory_bytes},
                      {"call_ms_p99", candidate.call_ms_p99},
                      {"speed_measured", candidate.speed_measured}};
}

json::value to_json(const Artifact& artifact) {
  json::object tree{{"id", artifact.id.value},           {"task", artifact.task.value},
                    {"kind", to_string(artifact.kind)},  {"made_at", artifact.made_at.value},
                    {"dataset", artifact.dataset.value}, {"template_hash", artifact.template_hash},
                    {"config", artifact.config_json},    {"metrics", artifact.metrics_json}};
  if (artifact.confidence) tree["confidence"] = to_json(*artifact.confidence);
  return tree;
}

Result<Artifact> artifact_from_json(const json::value& tree) {
  Artifact artifact;
  artifact.id = {json::string_or(tree, "id")};
  if (artifact.id.empty()) return fail(ErrorCode::corrupt, "a stored artifact without an id");
  artifact.task = {json::string_or(tree, "task")};
  artifact.kind = TRY(parse_candidate_kind(json::string_or(tree, "kind")));
  artifact.made_at = {json::find_integer(tree, "made_at").value_or(0)};
  artifact.dataset = {json::string_or(tree, "dataset")};
  artifact.template_hash = json::string_or(tree, "template_hash");
  artifact.config_json = json::string_or(tree, "config");
  artifact.metrics_json = json::string_or(tree, "metrics");
  if (const json::value* confidence = json::find(tree, "confidence"))
    artifact.confidence = TRY(confidence_model_from_json(*confidence));
  return artifact;
}

}  // namespace understudy
