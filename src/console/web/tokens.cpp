#include "console/web/tokens.hpp"

#include <mutex>
#include <vector>

#include "adapters/store/access_store.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"

namespace understudy::console {

namespace {
// What is signed is checked; a home without the admin's key has an unsigned list.
constexpr auto rule = store::SignatureRule::optional;
}  // namespace

struct Tokens::State {
  store::Home home;
  SecretHash owner{};
  std::mutex mutex = {};
  store::FileStamp stamp = {};
  std::vector<RoleToken> tokens = {};
  Stopwatch since_look = {};

  // The caller holds the mutex. A list that is refused leaves nobody's token in force but the
  // owner's: a token that was revoked must not stay by a damaged file.
  void look() {
    since_look = Stopwatch();
    const store::FileStamp now_there = store::access_stamp(home);
    if (now_there == stamp) return;
    stamp = now_there;
    auto list = store::load_access(home, rule);
    if (!list) {
      log::error("access.json is refused, its tokens are out of force: " + list.error().to_text());
      tokens.clear();
      return;
    }
    tokens = std::move(list->tokens);
  }
};

Tokens::Tokens(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokens::~Tokens() = default;

Result<std::unique_ptr<Tokens>> Tokens::open(const store::Home& home, const SecretHash& owner) {
  auto state = std::unique_ptr<State>(new State{.home = home, .owner = owner});
  state->stamp = store::access_stamp(home);
  state->tokens = TRY(store::load_access(home, rule)).tokens;
  return std::unique_ptr<Tokens>(new Tokens(std::move(state)));
}

std::optional<Visitor> Tokens::visitor_of(std::string_view token) {
  if (token.size() != crypto::access_secret_bytes) return std::nullopt;
  const SecretHash hash = crypto::hash_access_secret(token);
  if (crypto::same_hash(hash, state_->owner)) return Visitor{.name = "owner", .roles = any_role};
  const UnixMicros time = now();
  const std::scoped_lock lock(state_->mutex);
  if (state_->since_look.elapsed_us() >= limits::access_poll_interval_ms * 1000) state_->look();
  std::optional<Visitor> found;
  for (const RoleToken& known : state_->tokens) {  // all of them, so that time says nothing
    const bool same = crypto::same_hash(known.hash, hash);
    const bool in_force =
        !known.revoked_at.known() && (!known.expires_at.known() || time < known.expires_at);
    if (same && in_force) found = Visitor{.name = known.name, .roles = {known.role}};
  }
  return found;
}

}  // namespace understudy::console
