// Which parts of requests a segment holds already, as far as its writer remembers: content address
// -> ordinal. A fixed 1.5 MiB, sets of four, the longest unused goes first; a part that was
// forgotten is stored again, which costs bytes and is still right. Private to adapters/store; one
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "adapters/crypto/segment_cipher.hpp"
#include "base/limits.hpp"

namespace understudy::store {

class PartTable {
 public:
  using Address = crypto::ContentAddresser::Address;

  // The ordinal under which the part is stored; or nothing, and from now on it is `ordinal`.
  std::optional<std::uint32_t> find_or_add(const Address& address, std::uint32_t ordinal) {
    if (slots_.empty()) slots_.resize(limits::part_table_slots);
    Slot* set = &slots_[set_of(address) * ways];
    std::size_t at = 0;
    while (at < ways && (!set[at].used || set[at].address != address)) ++at;
    const bool found = at < ways;
    const Slot front = found ? set[at] : Slot{.address = address, .ordinal = ordinal, .used = true};
    for (std::size_t i = found ? at : ways - 1; i > 0; --i) set[i] = set[i - 1];
    set[0] = front;
    return found ? std::optional(front.ordinal) : std::nullopt;
  }

 private:
  static constexpr std::size_t ways = 4;
  static_assert(limits::part_table_slots % ways == 0);
  struct Slot {
    Address address{};
    std::uint32_t ordinal = 0;
    bool used = false;
  };

  static std::size_t set_of(const Address& address) {
    std::size_t number = 0;  // addresses are as good as random: any of their bytes will do
    for (std::size_t i = 0; i < 4; ++i) number = number << 8U | address[i];
    return number % (limits::part_table_slots / ways);
  }

  std::vector<Slot> slots_;
};

}  // namespace understudy::store
