#include "steps/s1_capture/session_tracker.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "adapters/crypto/keys.hpp"
#include "base/check.hpp"
#include "base/hex.hpp"
#include "base/uuid.hpp"
#include "steps/s1_capture/conversation.hpp"
#include "steps/s1_capture/recent_calls.hpp"

namespace understudy::s1 {

namespace {

constexpr std::size_t turns_read_max = 4;  // of a conversation whose last call is unknown

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
      : name_key(names.of("session", "name")), seed(from_hex(names.of("conversation", "seed"))) {}

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
  RecentCalls calls;
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
  const auto system = static_cast<std::uint32_t>(conversation.system);
  state_->calls.prefetch(conversation.chain);
  const auto find = [&](std::uint64_t chain, std::uint64_t print) {
    return state_->calls.adopt({.chain = chain,
                                .print = print,
                                .system = system,
                                .child = static_cast<std::uint32_t>(conversation.chain)});
  };
  std::optional<RecentCalls::Parent> parent;
  if (!scan.previous_response.empty()) parent = find(chained(scope, scan.previous_response), 0);
  // The longest prefix first; nearly always the last turn is the one.
  for (std::size_t back = 0; !parent && back < conversation.turns.size(); ++back) {
    const ModelTurn& turn = conversation.turns[conversation.turns.size() - 1 - back];
    const bool is_read = back < turns_read_max;
    parent = find(turn.chain, is_read ? state_->print_of(words_of_turn(api, scan, body, turn)) : 0);
  }

  RecentCalls::Parent placed;
  CHECK(parse_uuid(call.id.value, placed.id), "the gateway names its calls by UUIDs");
  if (parent) {
    call.parent = {uuid_text({parent->id.data(), parent->id.size()})};
    placed.session = parent->session;
    placed.step = parent->step + 1;
  }
  const bool is_opened = !parent && named.empty();
  if (is_opened) placed.session = state_->name_of(conversation.opening, {});
  RecentCalls::Lock lock = state_->calls.lock();
  if (is_opened && state_->calls.knows(lock, conversation.chain))
    placed.session = state_->name_of(conversation.opening, call.id.value);
  const RecentCalls::Number number = state_->calls.add(lock, conversation.chain, system, placed);
  lock.unlock();
  call.session = {named.empty() ? session_name(placed.session) : std::string(named)};
  call.step = placed.step;
  return {.number = number, .scope = scope};
}

void SessionTracker::answered(const Ticket& ticket, const Answered& answer) {
  if (ticket.number == 0) return;
  state_->calls.set_print(ticket.number, state_->print_of(answer.words));
  if (!answer.response_id.empty())
    state_->calls.add_alias(ticket.number, chained(ticket.scope, answer.response_id));
}

}  // namespace understudy::s1
