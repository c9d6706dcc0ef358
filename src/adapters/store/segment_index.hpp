// What a reader of a segment learns on its way and needs to open one record later without reading
// those before it: where every 64th record begins and the chain there, and which record brought
// which of a tenant's parts. Between two marks the chain is computed from the tags in the file, so
// that a record still opens only behind exactly the records that stand before it. Lives in memory
// only: it holds no key and no content. Private to adapters/store; pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store/record_metadata.hpp"
#include "adapters/store/segment_format.hpp"

namespace understudy::store {

class SegmentIndex {
 public:
  static constexpr std::uint64_t records_per_mark = 64;  // a walk of some 20 us at most

  struct Mark {
    std::uint64_t offset = 0;
    std::string chain;
  };
  struct Tenant {
    TenantRecord introduced;
    struct Brought {
      std::uint64_t record = 0;     // the call that brought parts
      std::uint64_t parts_end = 0;  // the tenant's parts, with these
    };
    std::vector<Brought> brought = {};  // ascending

    [[nodiscard]] std::uint64_t parts_before(std::uint64_t record) const {
      const auto at = std::ranges::lower_bound(brought, record, {}, &Brought::record);
      return at == brought.begin() ? 0 : std::prev(at)->parts_end;
    }
    // The record that brought a part; nothing where the segment does not say.
    [[nodiscard]] std::optional<std::uint64_t> bringer_of(std::uint64_t part) const {
      const auto at = std::ranges::upper_bound(brought, part, {}, &Brought::parts_end);
      return at == brought.end() ? std::nullopt : std::optional(at->record);
    }
  };

  // Called for one record after the other.
  void add(const segment_format::Position& position, std::uint64_t offset,
           const Metadata& metadata) {
    if (position.index % records_per_mark == 0) {
      segment_id = position.segment_id;
      marks.push_back({.offset = offset, .chain = position.chain});
    }
    if (const auto* tenant = std::get_if<TenantRecord>(&metadata)) {
      tenants.push_back({.introduced = *tenant});
    } else if (const auto* call = std::get_if<CallRecord>(&metadata);
               call != nullptr && call->new_parts > 0 && call->tenant < tenants.size()) {
      Tenant& owner = tenants[static_cast<std::size_t>(call->tenant)];
      const std::uint64_t before = owner.parts_before(position.index);
      owner.brought.push_back({.record = position.index, .parts_end = before + call->new_parts});
    }
  }

  std::string segment_id;
  std::vector<Mark> marks;
  std::vector<Tenant> tenants;
};

}  // namespace understudy::store
