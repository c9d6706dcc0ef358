// The first look at a call: is it teaching material, what personal data does it hold, what is it
// equal or alike to? A call that stays leaves as a chat completion, whatever its API was. Thread-
// safe but for the scanner.
#pragma once

#include <unordered_map>

#include "records/call.hpp"
#include "steps/s2_curate/curate_settings.hpp"
#include "steps/s2_curate/curation_plan.hpp"
#include "steps/s2_curate/surrogate/pseudonymiser.hpp"

namespace understudy::s2 {

// Tasks that calls belong to, by the hash of the call's id; numbers from 1, in the order of names.
struct KnownTasks {
  std::vector<std::string> names;
  std::unordered_map<std::uint64_t, std::uint32_t> of_call;
};

// The same for every call of a tenant and a task.
class Treatments {
 public:
  // Both must outlive it.
  Treatments(const CurateSettings& settings, const KnownTasks& tasks)
      : settings_(settings), tasks_(tasks) {}
  [[nodiscard]] std::uint32_t task_of(const Call& call) const;
  // What is to be found; types to paraphrase are among it.
  [[nodiscard]] Treatment of(const Call& call) const;
  // What is to be written, for the types that may be varied: the others are kept.
  [[nodiscard]] Treatment of(const Call& call, TypeBits varied, const FixedNumbers& fixed,
                             const SecretText& key) const;

 private:
  const CurateSettings& settings_;
  const KnownTasks& tasks_;
};

std::uint64_t hash_of_id(const CallId& id);

// Bodies that are no UTF-8 are repaired, in the call; true where one was.
bool repair_bodies(Call& call);

Examined examine(Call& call, const Treatments& treatments, const FilterOptions& filters,
                 TextScanner& scanner, EntityTable& table);

}  // namespace understudy::s2
