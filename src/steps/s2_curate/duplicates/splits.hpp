// Which sessions train, which calibrate and which test: whole sessions, never single calls, because
// the calls of one session tell each other's answers. Sessions with an identical request or with
// near-duplicates go together for the same reason. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/secret.hpp"
#include "records/example.hpp"

namespace understudy::s2 {

struct SplitItem {
  std::uint64_t session = 0;  // 0: none
  std::uint64_t request = 0;
  std::uint32_t component = 0;  // of near-duplicates
};

struct Splits {
  std::vector<Split> of;             // one per item
  std::vector<std::uint32_t> ranks;  // one per item: Example::rank
  // Components of more than a tenth of all items: what they share is a template rather than a text,
  // and they tie nothing together.
  std::uint64_t oversized_components = 0;
};

// 70 % of the groups of sessions train, 18 % calibrate, 12 % test, by a keyed hash of the group, so
// that a session keeps its split when others come.
Splits assign_splits(const std::vector<SplitItem>& items, const SecretText& key);

}  // namespace understudy::s2
