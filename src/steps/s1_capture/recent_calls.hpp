// The last limits::tracked_conversations_max calls as possible parents of the next ones, found by
// the chain of their requests. A ring, of which a call takes one line of the cache and its bucket
// four bytes: what a call touches here counts, as two I/O threads hand every line to and fro and
// find it in no cache. Nothing is unlinked: a link is the number of a call, and leads nowhere once
// another call has taken that one's slot. Private to steps/s1_capture. Thread-safe; knows() and
// add() under the caller's lock, since the one decides on the other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "base/limits.hpp"
#include "base/uuid.hpp"

namespace understudy::s1 {

class RecentCalls {
 public:
  using Lock = std::unique_lock<std::mutex>;
  using Number = std::uint64_t;  // of a call, from 1 on

  // What a call that goes on takes over from its parent.
  struct Parent {
    std::uint64_t session = 0;  // the digits of an inferred name
    std::int32_t step = 0;
    std::array<char, uuid_bytes> id{};
  };
  // Of a call that looks for its parent. Hashes, as all below.
  struct Wanted {
    std::uint64_t chain = 0;   // in front of the answer
    std::uint64_t print = 0;   // of the answer
    std::uint32_t system = 0;  // of its system prompt
    std::uint32_t child = 0;   // of all that it sends
  };

  RecentCalls();

  // Has what knows() and add() read fetched while something else is done.
  void prefetch(std::uint64_t chain) const;
  // The best of the calls with this chain, of equal ones the oldest that nothing went on from. It
  // remembers the first call that goes on from it.
  std::optional<Parent> adopt(const Wanted& wanted);

  [[nodiscard]] Lock lock() const;
  [[nodiscard]] bool knows(const Lock& lock, std::uint64_t chain) const;
  Number add(const Lock& lock, std::uint64_t chain, std::uint32_t system, const Parent& call);
  // The same call under another chain.
  void add_alias(Number number, std::uint64_t chain);

  // Has no effect on a call that is forgotten. Takes no lock.
  void set_print(Number number, std::uint64_t print);

 private:
  static constexpr std::size_t line_bytes = 64;
  static constexpr std::size_t slots = limits::tracked_conversations_max;
  // Many, so that a look for a chain that is not known seldom reads an entry: most calls go on from
  // nothing.
  static constexpr std::size_t buckets = 4 * slots;
  static constexpr std::size_t candidates_max = 256;  // runs of one prompt that are compared

  using Link = std::uint32_t;  // the low half of a call's number; 0: none
  static_assert((std::uint64_t{1} << 32U) % slots == 0, "a link names its slot, too");

  struct alignas(line_bytes) Entry {
    std::atomic<Number> number = 0;
    std::atomic<std::uint64_t> print = 0;  // of its answer; 0 until that is known
    std::uint64_t chain = 0;               // of its request
    std::uint64_t session = 0;
    std::array<char, uuid_bytes> id{};
    std::int32_t step = 0;
    Link older = 0;            // in its bucket
    std::uint32_t system = 0;  // of its system prompt
    std::uint32_t child = 0;   // the first call that went on from it; 0: none did
  };
  static_assert(sizeof(Entry) == line_bytes);

  [[nodiscard]] Entry* at(Link link) const;
  static Parent as_parent(const Entry& entry);
  static int misfit(const Entry& entry, const Wanted& wanted);

  mutable std::mutex mutex_;
  Number newest_ = 0;
  // Pages of both are touched as calls come.
  std::unique_ptr<Entry, void (*)(Entry*)> entries_;
  std::unique_ptr<Link[], void (*)(void*)> newest_of_;  // a bucket
};

}  // namespace understudy::s1
