#include "live/access/access.hpp"

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <format>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <unordered_map>

#include "adapters/crypto/access_secret.hpp"
#include "adapters/store/access_store.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/read_mostly.hpp"
#include "live/access/key_entry.hpp"
#include "live/access/price_cache.hpp"

namespace understudy::live {

namespace {

// The hash is uniform already: its first bytes are a good hash of it.
struct HashOfHash {
  std::size_t operator()(const SecretHash& hash) const noexcept {
    std::size_t front = 0;
    std::memcpy(&front, hash.data(), sizeof front);
    return front;
  }
};

// One list, indexed; immutable but for the counters that its entries share with other lists.
struct KeyTable {
  std::int64_t version = -1;
  std::unordered_map<SecretHash, std::shared_ptr<const KeyEntry>, HashOfHash> keys;
  std::vector<RoleToken> tokens;
};

bool in_force(const auto& entry, UnixMicros time) {
  return !entry.revoked_at.known() && (!entry.expires_at.known() || time < entry.expires_at);
}

Refusal bad_key(std::string message) {
  return {.status = 401,
          .type = "invalid_request_error",
          .code = "invalid_api_key",
          .message = std::move(message)};
}

}  // namespace

struct Access::State {
  store::Home home;
  AccessOptions options;
  std::atomic<bool> required;
  PriceCache prices;
  // Calls hold on to the list that they were admitted by.
  Snapshot<KeyTable> table{std::make_shared<const KeyTable>()};
  std::mutex reloading;  // guards counters and stamp; never held by admit() or settle()
  std::unordered_map<std::string, std::shared_ptr<KeyCounters>> counters;  // shared with entries
  store::FileStamp stamp;
  std::atomic<bool> spend_changed = false;
  std::mutex sleeping;
  std::condition_variable_any wake;
  std::jthread keeper;

  State(store::Home place, AccessOptions chosen)
      : home(std::move(place)), options(std::move(chosen)), required(options.required) {}

  [[nodiscard]] std::filesystem::path spend_file() const { return home.directory() / "spend.json"; }
  [[nodiscard]] store::SignatureRule rule() const {
    return options.signed_only ? store::SignatureRule::required : store::SignatureRule::optional;
  }

  std::expected<std::shared_ptr<const KeyEntry>, Refusal> identify(std::string_view secret,
                                                                   UnixMicros time) const;
  Status load();
  Status save_spending();
  void keep(const std::stop_token& stop);
};

// The caller holds `reloading`.
Status Access::State::load() {
  const store::FileStamp before = store::access_stamp(home);
  AccessList list = TRY(store::load_access(home, rule()));
  stamp = before;  // a change while it was read is seen by the next poll
  if (options.signed_only && list.version < table.load()->version) {
    return fail(ErrorCode::denied,
                std::format("access.json went back from version {} to {}", table.load()->version,
                            list.version),
                "an old signed list may hold keys that were revoked since; restart to accept it");
  }
  auto fresh = std::make_shared<KeyTable>();
  fresh->version = list.version;
  fresh->tokens = std::move(list.tokens);
  fresh->keys.reserve(list.keys.size());
  for (VirtualKey& key : list.keys) {
    auto& shared = counters[key.name];
    if (shared == nullptr) shared = std::make_shared<KeyCounters>();
    const SecretHash hash = key.hash;
    fresh->keys.emplace(hash, std::make_shared<KeyEntry>(std::move(key), shared));
  }
  table.store(std::move(fresh));
  return {};
}

Status Access::State::save_spending() {
  if (!spend_changed.exchange(false)) return {};
  store::SpendByKey spend;
  {
    const std::scoped_lock lock(reloading);
    for (const auto& [name, counts] : counters) {
      const std::scoped_lock key_lock(counts->mutex);
      if (counts->spend.requests > 0) spend.emplace(name, counts->spend);
    }
  }
  const Status saved = store::save_spend(spend_file(), spend);
  if (!saved) spend_changed = true;
  return saved;
}

void Access::State::keep(const std::stop_token& stop) {
  constexpr int polls_per_write = limits::spend_write_interval_ms / limits::access_poll_interval_ms;
  bool save_failed = false;
  for (int round = 1; !stop.stop_requested(); ++round) {
    {
      std::unique_lock lock(sleeping);
      wake.wait_for(lock, stop, std::chrono::milliseconds(limits::access_poll_interval_ms),
                    [] { return false; });
    }
    if (std::unique_lock lock(reloading); store::access_stamp(home) != stamp) {
      if (const Status loaded = load(); !loaded) {
        stamp = store::access_stamp(home);  // complain once a change
        log::error("access.json is refused, the keys before stay in force: " +
                   loaded.error().to_text());
      } else {
        log::info(std::format("access.json version {} is in force", table.load()->version));
      }
    }
    if (round % polls_per_write != 0) continue;
    const Status saved = save_spending();
    if (!saved && !save_failed) log::error("spending is not kept: " + saved.error().to_text());
    save_failed = !saved;
  }
}

Access::Access(std::unique_ptr<State> state) : state_(std::move(state)) {}

Access::~Access() {
  if (state_->keeper.joinable()) {
    state_->keeper.request_stop();
    state_->keeper.join();
  }
  if (const Status saved = state_->save_spending(); !saved)
    log::error("spending is not kept: " + saved.error().to_text());
}

Result<std::unique_ptr<Access>> Access::open(const store::Home& home, AccessOptions options) {
  auto state = std::make_unique<State>(home, std::move(options));
  state->prices.replace(TRY(economics::PriceTable::load(home.directory() / "prices.toml")));
  for (auto& [name, spend] : TRY(store::load_spend(state->spend_file()))) {
    auto counts = std::make_shared<KeyCounters>();
    counts->spend = spend;
    state->counters.emplace(name, std::move(counts));
  }
  TRY(state->load());
  State& running = *state;
  running.keeper = std::jthread([&running](const std::stop_token& stop) { running.keep(stop); });
  return std::unique_ptr<Access>(new Access(std::move(state)));
}

// Whose secret this is: nobody's (null, where none is needed), a key's that is in force, or
// refused.
std::expected<std::shared_ptr<const KeyEntry>, Refusal> Access::State::identify(
    std::string_view secret, UnixMicros time) const {
  if (!secret.starts_with(crypto::virtual_key_prefix)) {
    if (!required.load(std::memory_order_relaxed)) return nullptr;
    return std::unexpected(bad_key(
        secret.empty()
            ? "No API key. Send one as 'Authorization: Bearer us-...' or 'x-api-key: us-...'."
            : "This is no key of this gateway: its keys begin with 'us-'."));
  }
  const auto list = table.load();
  // A secret of another length is none of ours, and may be too long to hash.
  const auto found = secret.size() == crypto::access_secret_bytes
                         ? list->keys.find(crypto::hash_access_secret(secret))
                         : list->keys.end();
  if (found == list->keys.end()) return std::unexpected(bad_key("Incorrect API key."));
  if (!in_force(found->second->key, time)) {
    return std::unexpected(bad_key(found->second->key.revoked_at.known()
                                       ? "This API key was revoked."
                                       : "This API key has expired."));
  }
  return found->second;
}

std::optional<Refusal> Access::check(std::string_view secret) const {
  auto key = state_->identify(secret, state_->options.clock());
  if (key) return std::nullopt;
  return std::move(key).error();
}

AccessDecision Access::admit(const CallIntent& intent) {
  State& state = *state_;
  AccessDecision decision;
  const UnixMicros time = state.options.clock();
  auto key = state.identify(intent.secret, time);
  if (!key) {
    decision.refusal = std::move(key).error();
    return decision;
  }
  if (*key == nullptr) return decision;
  const KeyEntry& entry = **key;
  const Demand demand{
      .model = intent.model,
      .tokens = intent.prompt_tokens + intent.completion_tokens,
      .cost =
          entry.has_money_limit()
              ? state.prices.cost(intent.priced_model.empty() ? intent.model : intent.priced_model,
                                  static_cast<double>(intent.prompt_tokens),
                                  static_cast<double>(intent.completion_tokens))
              : MicroUsd{}};
  const Reservation reservation = entry.reserve(demand, time, decision);
  if (decision.refusal) return decision;
  decision.grant.key_ = std::move(*key);
  decision.grant.reserved_tokens_ = reservation.tokens;
  decision.grant.reserved_nano_ = reservation.nano;
  return decision;
}

void Access::settle(Grant& grant, const Usage& usage, MicroUsd cost) {
  if (grant.anonymous()) return;
  const std::int64_t tokens = usage.prompt_tokens + usage.completion_tokens;
  grant.key_->settle({.tokens = grant.reserved_tokens_, .nano = grant.reserved_nano_},
                     {.tokens = tokens, .nano = store::to_nano(cost)}, state_->options.clock());
  grant.key_.reset();
  state_->spend_changed.store(true, std::memory_order_relaxed);
}

std::optional<MicroUsd> Access::cost_of(std::string_view model, const Usage& usage) const {
  return state_->prices.cost(model, static_cast<double>(usage.prompt_tokens),
                             static_cast<double>(usage.completion_tokens));
}

store::SignatureRule Access::signature_rule() const { return state_->rule(); }

std::optional<TokenHolder> Access::holder_of(std::string_view token) const {
  if (token.size() != crypto::access_secret_bytes) return std::nullopt;
  const SecretHash hash = crypto::hash_access_secret(token);
  const auto table = state_->table.load();
  const UnixMicros time = state_->options.clock();
  const RoleToken* holder = nullptr;
  for (const RoleToken& known : table->tokens) {  // all of them, so that time says nothing
    const bool same = crypto::same_hash(known.hash, hash);
    if (same && in_force(known, time)) holder = &known;
  }
  if (holder == nullptr) return std::nullopt;
  return TokenHolder{.name = holder->name, .role = holder->role};
}

void Access::require_keys(bool required) { state_->required = required; }

Status Access::reload() {
  auto prices = TRY(economics::PriceTable::load(state_->home.directory() / "prices.toml"));
  const std::scoped_lock lock(state_->reloading);
  TRY(state_->load());
  state_->prices.replace(std::move(prices));
  return {};
}

json::value Access::describe_keys() const {
  const auto table = state_->table.load();
  std::vector<const KeyEntry*> entries;
  for (const auto& [hash, entry] : table->keys) entries.push_back(entry.get());
  std::ranges::sort(entries, {}, [](const KeyEntry* entry) { return entry->key.name; });
  const UnixMicros time = state_->options.clock();
  json::array out;
  for (const KeyEntry* entry : entries) out.push_back(entry->describe(time));
  return out;
}

Status Access::flush() { return state_->save_spending(); }

Grant::Grant(Grant&& other) noexcept
    : key_(std::move(other.key_)),
      reserved_tokens_(other.reserved_tokens_),
      reserved_nano_(other.reserved_nano_) {}

Grant& Grant::operator=(Grant&& other) noexcept {
  if (this == &other) return *this;
  release();
  key_ = std::move(other.key_);
  reserved_tokens_ = other.reserved_tokens_;
  reserved_nano_ = other.reserved_nano_;
  return *this;
}

Grant::~Grant() { release(); }

void Grant::release() noexcept {
  if (key_ != nullptr) key_->release({.tokens = reserved_tokens_, .nano = reserved_nano_});
  key_.reset();
}

std::string_view Grant::key_name() const { return key_ ? key_->key.name : std::string_view{}; }
std::string_view Grant::tenant() const { return key_ ? key_->key.tenant : std::string_view{}; }
bool Grant::counts_use() const {
  if (key_ == nullptr) return false;
  const KeyLimits& limits = key_->key.limits;
  return !limits.models.empty() || limits.tokens_per_minute || key_->has_money_limit();
}

bool Grant::human_facing() const { return key_ != nullptr && key_->key.human_facing; }

std::string_view secret_of(std::string_view authorization, std::string_view api_key) {
  constexpr std::string_view scheme = "bearer ";
  bool bearer = authorization.size() > scheme.size();
  for (std::size_t i = 0; bearer && i < scheme.size(); ++i)
    bearer = (authorization[i] | 0x20) == (scheme[i] | 0x20);
  if (!bearer) return api_key;
  authorization.remove_prefix(scheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  while (authorization.ends_with(' ')) authorization.remove_suffix(1);
  // A client of both headers means the one that is ours.
  return api_key.starts_with(crypto::virtual_key_prefix) ? api_key : authorization;
}

}  // namespace understudy::live
