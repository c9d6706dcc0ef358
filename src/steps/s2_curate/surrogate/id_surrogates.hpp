// Stand-ins for numbers of authorities and banks: as many digits and letters in the same places,
// and check digits that are as right as the original's. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/secret.hpp"
#include "steps/s2_curate/detect/id_finder.hpp"
#include "steps/s2_curate/surrogate/entity_table.hpp"

namespace understudy::s2 {

// The `attempt`-th candidate, without separators; nothing where this attempt has no right check
// digits. Every value of a type whose rules know it has one within a few dozen attempts.
std::optional<std::string> draw_id(const SecretText& key, const IdFinder& rules,
                                   const EntityTable::value_type& original, std::uint32_t attempt);

}  // namespace understudy::s2
