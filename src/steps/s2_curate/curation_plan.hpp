// What becomes of each call, decided between the two passes over a log from what the first pass
// noted of it: about a hundred bytes a call, never its content. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "records/example.hpp"
#include "steps/s2_curate/curate_settings.hpp"
#include "steps/s2_curate/duplicates/near_duplicates.hpp"
#include "steps/s2_curate/filters.hpp"
#include "steps/s2_curate/paraphrase_plan.hpp"

namespace understudy::s2 {

// Of a call, by the first pass. Hashes of 128 bits are kept as their halves.
struct Examined {
  DropReason reason = DropReason::none;
  std::uint64_t call = 0;
  std::uint64_t session = 0;  // 0: none
  std::uint64_t request = 0;
  std::uint64_t pair[2] = {};  // request and answer
  std::uint32_t task = 0;      // 0: none
  Shingles shingles = {};
  ParaphraseFacts paraphrase = {};
};

// A row of the plan, in the order of the log.
struct PlannedCall {
  std::uint64_t call = 0;  // hash of its id
  DropReason reason = DropReason::none;
  bool stands_for_others = true;  // false: an equal call came before it
  TypeBits present = 0;           // ParaphraseFacts
  TypeBits derived = 0;
  Split split = Split::train;
  std::uint32_t repeats = 1;
  std::uint32_t asked = 1;
  std::uint32_t rank = 0;  // Example::rank
};

struct PlanCounts {
  std::uint64_t asked_again = 0;         // requests that were made more than once
  std::uint64_t with_other_answers = 0;  // of these: answers differ
  std::uint64_t components = 0;          // of two and more near-duplicates
  std::uint64_t near_duplicates = 0;     // calls in them, but one of each
  std::uint64_t oversized_components = 0;
};

class CurationPlan {
 public:
  // The spill file lies in `scratch`.
  static Result<CurationPlan> create(const std::filesystem::path& scratch);

  Status add(const Examined& examined);
  // After the last add().
  Status decide(const CurateSettings& settings, const SecretText& key);

  [[nodiscard]] const std::vector<PlannedCall>& rows() const { return rows_; }
  [[nodiscard]] const PlanCounts& counts() const { return counts_; }

 private:
  // A call that stays, standing for its duplicates.
  struct Kept {
    std::uint32_t row = 0;
    std::uint32_t task = 0;
    std::uint64_t session = 0;
    std::uint64_t request = 0;
  };
  struct Asked {
    std::uint32_t calls = 0;
    std::uint32_t answers = 0;
  };

  explicit CurationPlan(ShingleStore shingles) : shingles_(std::move(shingles)) {}
  void count_askings();
  void apply_cap(const std::vector<std::uint32_t>& groups, std::uint64_t cap,
                 const SecretText& key);

  ShingleStore shingles_;
  std::vector<PlannedCall> rows_;
  std::vector<Kept> kept_;
  std::unordered_map<std::uint64_t, Asked> asked_;
  struct PairHash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& pair) const {
      return pair.first;
    }
  };
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t, PairHash> first_of_;
  PlanCounts counts_;
};

}  // namespace understudy::s2
