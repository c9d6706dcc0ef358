// What the slots of a template hold: numbers, dates, one of a few values, lists, code, free text.
// From a sample of the prompts; keeps counts and sizes, never a value. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "records/prompt_template.hpp"
#include "records/task.hpp"

namespace understudy::s3 {

// One entry per slot of `shape`; prompts that do not match are passed over.
std::vector<SlotFacts> slot_facts(const PromptTemplate& shape,
                                  const std::vector<std::string_view>& prompts);

// Of one value, looked at alone (never `choice`).
SlotType slot_type_of(std::string_view value);

}  // namespace understudy::s3
