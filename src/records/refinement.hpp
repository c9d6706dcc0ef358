// One turn of the loop for one task (S6): why it was begun, how far it has come, what came of it.
// Stored after each stage, so that a run that was killed goes on where it was: each stage may be
// done twice and gives the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace understudy {

// What is done already.
enum class RefineStage { begun, curated, assigned, tuned, measured, done };

struct Refinement {
  std::string id;  // UUIDv7
  TaskId task;
  RefineStage stage = RefineStage::begun;
  UnixMicros begun_at;
  UnixMicros changed_at;
  std::string trigger;    // "new data: 312 calls since the last model", for people
  std::string branch;     // "S2": more or other data; "S4": another kind of model
  std::string candidate;  // "classifier", "nano", "adapter:FILE"
  DatasetId dataset;      // that it is made and measured on
  ArtifactId champion;    // live when the run began; empty: the LLM
  ArtifactId challenger;
  std::int64_t resumed = 0;  // how often it went on after it was cut off
  std::string outcome;       // "promoted", "kept_champion", "kept_llm", "failed"; empty: at work
  std::string reason;
};

std::string_view to_string(RefineStage stage);
json::value to_json(const Refinement& refinement);
Result<Refinement> refinement_from_json(const json::value& tree);

}  // namespace understudy
