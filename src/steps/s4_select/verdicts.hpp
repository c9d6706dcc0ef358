// Collects what speaks against a candidate, and what is worth knowing; without anything against it
// it is eligible. Private to s4_select.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "records/model.hpp"
#include "steps/s4_select/select.hpp"

namespace understudy::s4 {

class Verdicts {
 public:
  void forbid(bool condition, std::string reason) {
    if (condition) against_.push_back(std::move(reason));
  }
  void remark(std::string reason) { remarks_.push_back(std::move(reason)); }

  // A task that cannot be recognised, or learned, is nobody's.
  void forbid_unroutable(const Task& task);
  void forbid_memory(const Candidate& candidate, const machine::Machine& machine);

  // Those that are out rank by what they promise and by how little stands in their way.
  void write_to(Candidate& candidate) const {
    candidate.eligible = against_.empty();
    candidate.score /= static_cast<double>(1 + against_.size());
    candidate.reasons = against_;
    candidate.reasons.insert(candidate.reasons.end(), remarks_.begin(), remarks_.end());
  }

 private:
  std::vector<std::string> against_;
  std::vector<std::string> remarks_;
};

// English text has about 4 bytes a token; ids and code come nearer to 3, which is the careful
// figure.
inline constexpr std::int64_t bytes_per_token = 3;

// Base models that could be tuned: those of the catalogue, and those on this machine that it does
// not know.
std::vector<Candidate> adapter_candidates(const SelectionInputs& inputs);

}  // namespace understudy::s4
