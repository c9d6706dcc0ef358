// The second look at a call that the plan keeps: its bodies are written anew, once more with its
// own numbers where other ones do not do, and what comes of it is an example or a reason to drop
// it. Thread-safe but for the writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/secret.hpp"
#include "records/call.hpp"
#include "records/example.hpp"
#include "steps/s2_curate/curation_plan.hpp"
#include "steps/s2_curate/examine_call.hpp"
#include "steps/s2_curate/filters.hpp"
#include "steps/s2_curate/paraphrase_plan.hpp"
#include "steps/s2_curate/surrogate/pseudonym_writer.hpp"

namespace understudy::s2 {

struct SecondLook {
  DropReason reason = DropReason::none;
  std::optional<Example> example;
  ReplacedCounts replaced;
  std::uint32_t task = 0;
  TypeBits wanted = 0;  // to be paraphrased
  TypeBits varied = 0;
  std::string_view numbers_kept;  // why, where they might have been varied
};

// What the plan's second pass needs to know of all calls. All of it must outlive the looks.
struct LookContext {
  const Treatments& treatments;
  const ParaphrasePlan& paraphrase;
  const SecretText& pseudonym_key;
};

SecondLook look_again(Call& call, const PlannedCall& planned, const LookContext& context,
                      PseudonymWriter& writer);

}  // namespace understudy::s2
