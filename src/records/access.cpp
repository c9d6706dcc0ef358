#include "records/access.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/clock.hpp"
#include "base/hex.hpp"
#include "base/limits.hpp"
#include "records/task.hpp"

namespace understudy {

namespace {

std::optional<SecretHash> from_hex(std::string_view hex) {
  SecretHash hash{};
  if (hex.size() != 2 * hash.size() || !from_lower_hex(hex, hash)) return std::nullopt;
  return hash;
}

void put_time(json::object& out, std::string_view key, UnixMicros time) {
  if (time.known()) out[key] = to_iso8601(time);
}

// A time that is there must be one: a broken expiry must not become "never".
Result<UnixMicros> take_time(const json::value& tree, std::string_view key) {
  const json::value* found = json::find(tree, key);
  if (found == nullptr) return UnixMicros{};
  const auto text = json::find_string(tree, key);
  const auto time = text ? parse_iso8601(*text) : std::nullopt;
  if (!time || !time->known()) return fail(ErrorCode::corrupt, std::string(key) + " is no time");
  return *time;
}

// The same for limits: what cannot be read must not become "no limit".
Result<std::optional<double>> take_amount(const json::value& tree, std::string_view key) {
  if (json::find(tree, key) == nullptr) return std::nullopt;
  const auto amount = json::find_number(tree, key);
  if (!amount || !std::isfinite(*amount) || *amount < 0 || *amount > limits::limit_usd_max)
    return fail(ErrorCode::corrupt, std::string(key) + " is no amount");
  return *amount;
}

Result<std::optional<std::int64_t>> take_rate(const json::value& tree, std::string_view key) {
  if (json::find(tree, key) == nullptr) return std::nullopt;
  const auto rate = json::find_integer(tree, key);
  if (!rate || *rate < 0 || *rate > limits::limit_per_minute_max)
    return fail(ErrorCode::corrupt, std::string(key) + " is no rate");
  return *rate;
}

json::object public_members(const VirtualKey& key) {
  json::object out{{"name", key.name}, {"hint", key.hint}};
  if (!key.tenant.empty()) out["tenant"] = key.tenant;
  const KeyLimits& limits = key.limits;
  if (!limits.models.empty())
    out["models"] = json::array(limits.models.begin(), limits.models.end());
  if (limits.requests_per_minute) out["requests_per_minute"] = *limits.requests_per_minute;
  if (limits.tokens_per_minute) out["tokens_per_minute"] = *limits.tokens_per_minute;
  if (limits.usd_per_day) out["usd_per_day"] = *limits.usd_per_day;
  if (limits.usd_per_month) out["usd_per_month"] = *limits.usd_per_month;
  if (limits.budget_usd) out["budget_usd"] = *limits.budget_usd;
  if (key.human_facing) out["human_facing"] = true;
  put_time(out, "created_at", key.created_at);
  put_time(out, "expires_at", key.expires_at);
  put_time(out, "revoked_at", key.revoked_at);
  return out;
}

json::object public_members(const RoleToken& token) {
  json::object out{{"name", token.name}, {"role", to_string(token.role)}, {"hint", token.hint}};
  put_time(out, "created_at", token.created_at);
  put_time(out, "expires_at", token.expires_at);
  put_time(out, "revoked_at", token.revoked_at);
  return out;
}

template <class Entry>
json::value with_hash(const Entry& entry) {
  json::object out = public_members(entry);
  out["hash"] = to_hex(entry.hash);
  return out;
}

template <class Entry>
Status read_common(const json::value& tree, Entry& entry) {
  entry.name = json::string_or(tree, "name");
  TRY(check_access_name(entry.name));
  const auto hash = from_hex(json::string_or(tree, "hash"));
  if (!hash) return fail(ErrorCode::corrupt, "hash is no BLAKE2b-256 in hex");
  entry.hash = *hash;
  entry.hint = json::string_or(tree, "hint");
  entry.created_at = TRY(take_time(tree, "created_at"));
  entry.expires_at = TRY(take_time(tree, "expires_at"));
  entry.revoked_at = TRY(take_time(tree, "revoked_at"));
  return {};
}

Result<VirtualKey> key_from_json(const json::value& tree) {
  VirtualKey key;
  TRY(read_common(tree, key));
  key.tenant = json::string_or(tree, "tenant");
  key.limits.models = json_strings(tree, "models");
  if (const json::value* models = json::find(tree, "models");
      models != nullptr && (!models->is_array() || key.limits.models.empty()))
    return fail(ErrorCode::corrupt, "models is no list of names");
  key.limits.requests_per_minute = TRY(take_rate(tree, "requests_per_minute"));
  key.limits.tokens_per_minute = TRY(take_rate(tree, "tokens_per_minute"));
  key.limits.usd_per_day = TRY(take_amount(tree, "usd_per_day"));
  key.limits.usd_per_month = TRY(take_amount(tree, "usd_per_month"));
  key.limits.budget_usd = TRY(take_amount(tree, "budget_usd"));
  key.human_facing = json::find_bool(tree, "human_facing").value_or(false);
  return key;
}

Result<RoleToken> token_from_json(const json::value& tree) {
  RoleToken token;
  TRY(read_common(tree, token));
  token.role = TRY(parse_access_role(json::string_or(tree, "role")));
  return token;
}

template <class Entry>
Status read_entries(const json::value& tree, std::string_view key,
                    Result<Entry> (*read)(const json::value&), std::vector<Entry>& out) {
  const json::array* items = json::find_array(tree, key);
  if (items == nullptr) return fail(ErrorCode::corrupt, "there is no list of " + std::string(key));
  for (const json::value& item : *items) {
    auto entry = read(item);
    if (!entry) {
      return fail(ErrorCode::corrupt, std::string(key) + " \"" + json::string_or(item, "name") +
                                          "\": " + entry.error().message);
    }
    if (std::ranges::contains(out, entry->name, &Entry::name))
      return fail(ErrorCode::corrupt, std::string(key) + ": two are named " + entry->name);
    out.push_back(std::move(*entry));
  }
  return {};
}

}  // namespace

std::string_view to_string(AccessRole role) {
  switch (role) {
    case AccessRole::curator: return "curator";
    case AccessRole::auditor: return "auditor";
    case AccessRole::admin: return "admin";
  }
  return "auditor";
}

Result<AccessRole> parse_access_role(std::string_view text) {
  for (const AccessRole role : {AccessRole::curator, AccessRole::auditor, AccessRole::admin}) {
    if (to_string(role) == text) return role;
  }
  return fail(ErrorCode::invalid_input, "there is no role \"" + std::string(text) + "\"",
              "roles with tokens are curator, auditor and admin");
}

VirtualKey* AccessList::find_key(std::string_view name) {
  const auto found = std::ranges::find(keys, name, &VirtualKey::name);
  return found == keys.end() ? nullptr : &*found;
}

RoleToken* AccessList::find_token(std::string_view name) {
  const auto found = std::ranges::find(tokens, name, &RoleToken::name);
  return found == tokens.end() ? nullptr : &*found;
}

json::value to_public_json(const VirtualKey& key) { return public_members(key); }
json::value to_public_json(const RoleToken& token) { return public_members(token); }

json::value to_json(const AccessList& list) {
  json::array keys;
  for (const VirtualKey& key : list.keys) keys.push_back(with_hash(key));
  json::array tokens;
  for (const RoleToken& token : list.tokens) tokens.push_back(with_hash(token));
  return json::object{
      {"version", list.version}, {"keys", std::move(keys)}, {"tokens", std::move(tokens)}};
}

Result<AccessList> access_list_from_json(const json::value& tree) {
  AccessList list;
  const auto version = json::find_integer(tree, "version");
  if (!version || *version < 0) return fail(ErrorCode::corrupt, "there is no version");
  list.version = *version;
  TRY(read_entries<VirtualKey>(tree, "keys", key_from_json, list.keys));
  TRY(read_entries<RoleToken>(tree, "tokens", token_from_json, list.tokens));
  return list;
}

// Greedy with one way back: to just behind the last star, one character further.
bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  for (std::size_t t = 0; t < text.size();) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(pattern.substr(p), [](char c) { return c == '*'; });
}

Status check_access_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= limits::access_name_bytes_max &&
                    std::ranges::all_of(name, [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '@';
                    });
  if (fits) return {};
  return fail(ErrorCode::invalid_input, "\"" + std::string(name.substr(0, 80)) + "\" is no name",
              "use letters, digits and -_.@, at most " +
                  std::to_string(limits::access_name_bytes_max) + " of them");
}

}  // namespace understudy
