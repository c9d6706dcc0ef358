#include "steps/s1_capture/session_tracker.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "base/hex.hpp"
#include "base/limits.hpp"
#include "base/short_lock.hpp"
#include "steps/s1_capture/conversation.hpp"

namespace understudy::s1 {

namespace {

constexpr std::size_t call_id_bytes_max = 36;  // a UUID; the gateway makes no other
constexpr std::size_t candidates_max = 256;    // runs of one prompt that are compared
constexpr std::size_t turns_read_max = 4;      // of a conversation whose last call is unknown
constexpr std::uint32_t none = ~std::uint32_t{0};
constexpr std::size_t cache_line_bytes = 64;
// Many for the calls, so that a look for a chain that is not known seldom reads an entry: most
// calls go on from nothing.
constexpr std::size_t buckets_count = 4 * limits::tracked_conversations_max;

// One call as a possible parent. Two lines of the cache of its own, and all but its id in the
// first: calls that end side by side on two cores write to entries side by side.
struct alignas(cache_line_bytes) Entry {
  std::uint64_t chain = 0;      // of its request
  std::uint32_t next = none;    // in its bucket, older
  std::uint32_t before = none;  // newer: load tests fill one bucket with one request
  std::uint64_t print = 0;      // of its answer; 0 until that is known
  std::uint64_t system = 0;     // of its system prompt
  std::uint64_t child = 0;      // chain of the first call that went on from it
  std::uint64_t session = 0;    // the digits of an inferred name
  std::uint64_t number = 0;
  std::int32_t step = 0;
  std::uint8_t id_bytes = 0;
  std::array<char, call_id_bytes_max> id{};
};

// Of a call that looks for its parent.
struct Wanted {
  std::uint64_t chain = 0;  // in front of the answer
  std::uint64_t print = 0;  // of the answer
  std::uint64_t system = 0;
  std::uint64_t child = 0;  // its own chain
};

// How well an entry fits; smaller is better.
int misfit(const Entry& entry, const Wanted& wanted) {
  // An answer that is not known yet may be the one; another one was edited by the client.
  const int answer = entry.print == wanted.print ? 0 : entry.print == 0 ? 1 : 2;
  const int system = entry.system == wanted.system ? 0 : 1;
  const int child = entry.child == wanted.child ? 0 : entry.child == 0 ? 1 : 2;
  return answer * 8 + system * 4 + child;
}

std::uint64_t from_hex(std::string_view digits) {
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

std::string session_name(std::uint64_t number) {
  std::string name = "s-";
  for (int shift = 60; shift >= 0; shift -= 4) name += hex_digits[(number >> shift) & 15U];
  return name;
}

}  // namespace

struct SessionTracker::State {
  explicit State(const Pseudonyms& names)
      : name_key(names.of("session", "name")), seed(from_hex(names.of("conversation", "seed"))) {
    buckets.fill(none);
    entries.reserve(limits::tracked_conversations_max);  // pages are touched as calls come
  }

  [[nodiscard]] std::uint32_t& bucket(std::uint64_t chain) {
    return buckets[chain % buckets.size()];
  }

  // The best of the entries with this chain; of equal ones the oldest that nothing went on from.
  Entry* find(const Wanted& wanted) {
    Entry* best = nullptr;
    std::size_t compared = 0;
    for (std::uint32_t at = bucket(wanted.chain); at != none; at = entries[at].next) {
      Entry& entry = entries[at];
      if (entry.chain != wanted.chain) continue;
      if (++compared > candidates_max) break;
      const int difference = best == nullptr ? -1 : misfit(entry, wanted) - misfit(*best, wanted);
      if (difference < 0 || (difference == 0 && entry.child == 0)) best = &entry;
    }
    return best;
  }

  // A miss of the cache, which the lock would be held for.
  void prefetch(std::uint64_t chain) const { __builtin_prefetch(&buckets[chain % buckets.size()]); }

  [[nodiscard]] bool knows(std::uint64_t chain) {
    std::uint32_t at = bucket(chain);
    while (at != none && entries[at].chain != chain) at = entries[at].next;
    return at != none;
  }

  // What the call that goes on needs of its parent; nothing where there is none.
  std::optional<Entry> adopt(const Wanted& wanted) {
    const auto lock = short_lock(mutex);
    Entry* parent = find(wanted);
    if (parent == nullptr) return std::nullopt;
    if (parent->child == 0) parent->child = wanted.child;
    return *parent;
  }

  std::uint64_t remember(std::uint64_t chain, Entry entry) {
    entry.chain = chain;
    entry.number = ++placed;
    const auto slot = static_cast<std::uint32_t>((placed - 1) % limits::tracked_conversations_max);
    if (slot == entries.size()) {
      entries.emplace_back();
    } else {
      forget(slot);
    }
    std::uint32_t& head = bucket(chain);
    if (head != none) entries[head].before = slot;
    entry.next = std::exchange(head, slot);
    entry.before = none;
    entries[slot] = entry;
    if (entries.size() == limits::tracked_conversations_max) prefetch_oldest();
    return entry.number;
  }

  // What the next few calls overwrite: first the entries, then the buckets that they are in.
  void prefetch_oldest() const {
    const auto oldest = [this](std::uint64_t ahead) -> const Entry& {
      return entries[(placed + ahead) % limits::tracked_conversations_max];
    };
    __builtin_prefetch(&oldest(4), 1);
    __builtin_prefetch(&oldest(4).id.back(), 1);  // its second line
    prefetch(oldest(2).chain);
  }

  // The oldest of all is the last of its bucket.
  void forget(std::uint32_t slot) {
    const Entry& oldest = entries[slot];
    (oldest.before != none ? entries[oldest.before].next : bucket(oldest.chain)) = none;
  }

  // The digits of an inferred session's name.
  [[nodiscard]] std::uint64_t name_of(std::uint64_t opening, std::string_view run) const {
    std::string text(bytes_of(opening));
    text += run;
    return crypto::siphash(name_key, text);
  }

  [[nodiscard]] std::uint64_t print_of(std::string_view words) const {
    return words.empty() ? 0 : chained(seed, words);
  }

  const SecretText name_key;  // 16 hex digits: 64 bits, as many as a name has
  const std::uint64_t seed;
  alignas(cache_line_bytes) std::mutex mutex;
  std::uint64_t placed = 0;
  std::vector<Entry> entries;  // a ring: the oldest is overwritten
  std::array<std::uint32_t, buckets_count> buckets{};
};

SessionTracker::SessionTracker(const Pseudonyms& pseudonyms)
    : state_(std::make_unique<State>(pseudonyms)) {}
SessionTracker::~SessionTracker() = default;

SessionTracker::Ticket SessionTracker::place(const wire::RequestScan& scan, std::string_view body,
                                             std::string_view named, Call& call) {
  const wire::Api api = wire::parse_api(call.api).value_or(wire::Api::chat_completions);
  // Tenants and keys never meet, nor do sessions that a header tells apart.
  std::uint64_t scope = chained(state_->seed, call.origin.tenant);
  scope = chained(chained(scope, call.origin.key), named);
  const Conversation conversation = read_conversation(api, scan, body, scope);
  const auto find = [&](std::uint64_t chain, std::uint64_t print) {
    return state_->adopt({.chain = chain,
                          .print = print,
                          .system = conversation.system,
                          .child = conversation.chain});
  };
  std::optional<Entry> parent;
  if (!scan.previous_response.empty()) parent = find(chained(scope, scan.previous_response), 0);
  // The longest prefix first; nearly always the last turn is the one.
  for (std::size_t back = 0; !parent && back < conversation.turns.size(); ++back) {
    const ModelTurn& turn = conversation.turns[conversation.turns.size() - 1 - back];
    const bool is_read = back < turns_read_max;
    parent = find(turn.chain, is_read ? state_->print_of(words_of_turn(api, scan, body, turn)) : 0);
  }

  Entry entry{.system = conversation.system};
  if (call.id.value.size() <= call_id_bytes_max) {
    entry.id_bytes = static_cast<std::uint8_t>(call.id.value.size());
    std::ranges::copy(call.id.value, entry.id.begin());
  }
  if (parent) {
    call.parent = {std::string(parent->id.data(), parent->id_bytes)};
    entry.session = parent->session;
    entry.step = parent->step + 1;
  }
  state_->prefetch(conversation.chain);
  const bool is_opened = !parent && named.empty();
  if (is_opened) entry.session = state_->name_of(conversation.opening, {});
  const auto lock = short_lock(state_->mutex);
  if (is_opened && state_->knows(conversation.chain))
    entry.session = state_->name_of(conversation.opening, call.id.value);
  call.session = {named.empty() ? session_name(entry.session) : std::string(named)};
  call.step = entry.step;
  return {.number = state_->remember(conversation.chain, entry), .scope = scope};
}

void SessionTracker::answered(const Ticket& ticket, const Answered& answer) {
  if (ticket.number == 0) return;
  const std::uint64_t print = state_->print_of(answer.words);
  const std::string_view id = answer.response_id;
  const auto lock = short_lock(state_->mutex);
  const std::size_t slot = (ticket.number - 1) % limits::tracked_conversations_max;
  if (slot >= state_->entries.size() || state_->entries[slot].number != ticket.number) return;
  state_->entries[slot].print = print;
  if (id.empty()) return;
  Entry alias = state_->entries[slot];
  alias.print = 0;
  alias.child = 0;
  state_->remember(chained(ticket.scope, id), alias);
}

}  // namespace understudy::s1
