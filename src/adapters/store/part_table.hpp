// Which parts of requests a segment holds already, as far as its writer remembers: content address
// -> ordinal. A fixed 1 MiB, sets of four, each one line of the cache, the longest unused goes
// first; a part that was forgotten is stored again, which costs bytes and is still right. Private
// to adapters/store; one thread.
#pragma once

#include <algorithm>
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

  // Has the part's set fetched while something else is done: it is in no cache, as a rule.
  void prefetch(const Address& address) { __builtin_prefetch(&set_of(address), 1); }

  // The ordinal under which the part is stored; or nothing, and from now on it is `ordinal`.
  std::optional<std::uint32_t> find_or_add(const Address& address, std::uint32_t ordinal) {
    Set& set = set_of(address);
    const Tail tail = tail_of(address);
    std::size_t at = 0;
    while (at < ways && (set.ordinals[at] == none || set.tails[at] != tail)) ++at;
    const bool found = at < ways;
    const std::uint32_t front = found ? set.ordinals[at] : ordinal;
    for (std::size_t i = found ? at : ways - 1; i > 0; --i) {
      set.tails[i] = set.tails[i - 1];
      set.ordinals[i] = set.ordinals[i - 1];
    }
    set.tails[0] = tail;
    set.ordinals[0] = front;
    return found ? std::optional(front) : std::nullopt;
  }

 private:
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t set_number_bytes = 4;
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static_assert(limits::part_table_slots % ways == 0);
  // What of an address its set does not say: 12 bytes, of which no two texts have the same.
  using Tail = std::array<std::uint8_t, std::tuple_size_v<Address> - set_number_bytes>;
  struct alignas(64) Set {
    std::array<Tail, ways> tails{};
    std::array<std::uint32_t, ways> ordinals{none, none, none, none};
  };
  static_assert(sizeof(Set) == 64);

  Set& set_of(const Address& address) {
    constexpr std::size_t sets = limits::part_table_slots / ways;
    if (sets_.empty()) sets_.resize(sets);
    std::size_t number = 0;  // addresses are as good as random: any of their bytes will do
    for (std::size_t i = 0; i < set_number_bytes; ++i) number = number << 8U | address[i];
    return sets_[number % sets];
  }
  static Tail tail_of(const Address& address) {
    Tail tail;
    std::copy(address.begin() + set_number_bytes, address.end(), tail.begin());
    return tail;
  }

  std::vector<Set> sets_;
};

}  // namespace understudy::store
