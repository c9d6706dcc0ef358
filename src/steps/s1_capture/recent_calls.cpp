#include "steps/s1_capture/recent_calls.hpp"

#include <cstdlib>
#include <utility>

#include "base/check.hpp"
#include "base/short_lock.hpp"

namespace understudy::s1 {

RecentCalls::RecentCalls()
    : entries_(std::allocator<Entry>().allocate(slots),
               [](Entry* entries) { std::allocator<Entry>().deallocate(entries, slots); }),
      newest_of_(static_cast<Link*>(std::calloc(buckets, sizeof(Link))), std::free) {
  CHECK(newest_of_ != nullptr, "there is memory at start");
}

void RecentCalls::prefetch(std::uint64_t chain) const {
  __builtin_prefetch(&newest_of_[chain % buckets], 1);
}

// Nothing where that call is forgotten.
RecentCalls::Entry* RecentCalls::at(Link link) const {
  if (link == 0) return nullptr;
  Entry* entry = entries_.get() + (link - 1) % slots;
  return static_cast<Link>(entry->number.load(std::memory_order_relaxed)) == link ? entry : nullptr;
}

RecentCalls::Parent RecentCalls::as_parent(const Entry& entry) {
  return {.session = entry.session, .step = entry.step, .id = entry.id};
}

// How well an entry fits; smaller is better.
int RecentCalls::misfit(const Entry& entry, const Wanted& wanted) {
  const std::uint64_t print = entry.print.load(std::memory_order_relaxed);
  // An answer that is not known yet may be the one; another one was edited by the client.
  const int answer = print == wanted.print ? 0 : print == 0 ? 1 : 2;
  const int system = entry.system == wanted.system ? 0 : 1;
  const int child = entry.child == wanted.child ? 0 : entry.child == 0 ? 1 : 2;
  return answer * 8 + system * 4 + child;
}

std::optional<RecentCalls::Parent> RecentCalls::adopt(const Wanted& wanted) {
  const Lock held = lock();
  Entry* best = nullptr;
  int best_misfit = 0;
  std::size_t compared = 0;
  for (Entry* entry = at(newest_of_[wanted.chain % buckets]); entry != nullptr;
       entry = at(entry->older)) {
    if (entry->chain != wanted.chain) continue;
    if (++compared > candidates_max) break;
    const int fit = misfit(*entry, wanted);
    if (best != nullptr && (fit > best_misfit || (fit == best_misfit && entry->child != 0)))
      continue;
    best = entry;
    best_misfit = fit;
  }
  if (best == nullptr) return std::nullopt;
  if (best->child == 0) best->child = wanted.child;
  return as_parent(*best);
}

RecentCalls::Lock RecentCalls::lock() const { return short_lock(mutex_); }

bool RecentCalls::knows(const Lock&, std::uint64_t chain) const {
  const Entry* entry = at(newest_of_[chain % buckets]);
  while (entry != nullptr && entry->chain != chain) entry = at(entry->older);
  return entry != nullptr;
}

RecentCalls::Number RecentCalls::add(const Lock&, std::uint64_t chain, std::uint32_t system,
                                     const Parent& call) {
  const Number number = ++newest_;
  Entry* entry = entries_.get() + (number - 1) % slots;
  if (number <= slots) std::construct_at(entry);
  entry->number.store(number, std::memory_order_relaxed);
  entry->print.store(0, std::memory_order_relaxed);
  entry->chain = chain;
  entry->session = call.session;
  entry->id = call.id;
  entry->step = call.step;
  entry->older = std::exchange(newest_of_[chain % buckets], static_cast<Link>(number));
  entry->system = system;
  entry->child = 0;
  return number;
}

void RecentCalls::add_alias(Number number, std::uint64_t chain) {
  const Lock held = lock();
  const Entry* entry = at(static_cast<Link>(number));
  if (entry == nullptr) return;
  const Parent call = as_parent(*entry);
  add(held, chain, entry->system, call);
}

void RecentCalls::set_print(Number number, std::uint64_t print) {
  Entry& entry = entries_.get()[(number - 1) % slots];
  // A call that is forgotten between these two lines leaves its print with the newest of all, which
  // then is taken for a conversation that its client has edited.
  if (entry.number.load(std::memory_order_relaxed) == number)
    entry.print.store(print, std::memory_order_relaxed);
}

}  // namespace understudy::s1
