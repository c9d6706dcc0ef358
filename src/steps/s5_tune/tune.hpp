// S5: trains one candidate for a task on its train split and keeps the result as an artifact,
// addressed by its content, with its lineage. Needs the trainer's key. The classifier is trained
// here; nano and what has a base by understudy-train, a child that reads the examples from a pipe,
// so that no plaintext lies on the disk. A killed tune leaves nothing that counts: artifacts get
// their name when they are whole. One with a base goes on from its checkpoint when it is asked for
// again.
#pragma once

#include <cstdint>
#include <filesystem>

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/model.hpp"
#include "steps/s5_tune/tune_base.hpp"

namespace understudy::s5 {

struct TuneOptions {
  CandidateKind kind = CandidateKind::nano;
  double max_minutes = 10;
  std::uint64_t seed = 1;
  BaseOptions base = {};                       // of the candidate `adapter`
  std::filesystem::path trainer_program = {};  // default: understudy-train beside this program
};

// invalid_input where the task does not suit the candidate (answers not closed, prompts that cannot
// be told apart, no train examples): the hint says what would.
Result<Artifact> tune(const store::Home& home, const TaskId& task, const TuneOptions& options);

}  // namespace understudy::s5
