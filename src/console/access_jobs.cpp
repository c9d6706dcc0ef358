#include "console/access_jobs.hpp"

#include "adapters/store/access_changes.hpp"
#include "adapters/store/audit_trail.hpp"
#include "adapters/store/spend.hpp"
#include "base/clock.hpp"

namespace understudy::console {

namespace {

// People at the command line hold the admin's key, or have none yet: what is signed is checked.
constexpr auto rule = store::SignatureRule::optional;

json::value shown(const store::IssuedKey& issued) {
  json::value out = to_public_json(issued.key);
  out.get_object()["secret"] = issued.secret.reveal();
  return out;
}

json::object spent(const store::SpendByKey& all, const std::string& name) {
  const auto found = all.find(name);
  store::Spend spend = found == all.end() ? store::Spend{} : found->second;
  spend.roll(now());
  return {{"usd", store::to_usd(spend.total)},
          {"usd_today", store::to_usd(spend.day)},
          {"usd_this_month", store::to_usd(spend.month)},
          {"requests", spend.requests},
          {"tokens", spend.tokens}};
}

// Before the change: no trace, no change.
Status note(const store::Home& home, std::string act, std::string what, std::string detail) {
  store::AuditEntry entry;
  entry.role = "admin";
  entry.act = std::move(act);
  entry.what = std::move(what);
  entry.detail = std::move(detail);
  return store::append_audit(home, std::move(entry));
}

Result<UnixMicros> expiry_of(const std::string& text) {
  if (text.empty()) return UnixMicros{};
  return store::parse_expiry(text);
}

}  // namespace

Result<json::value> add_key(const store::Home& home, const KeyRequest& request) {
  VirtualKey key;
  key.name = request.name;
  key.tenant = request.tenant;
  key.limits = request.limits;
  key.human_facing = request.human_facing;
  key.expires_at = TRY(expiry_of(request.expires));
  TRY(note(home, "make", "access add", "key " + key.name));
  return shown(TRY(store::issue_key(home, rule, std::move(key))));
}

Result<json::value> rotate_key(const store::Home& home, const std::string& name) {
  TRY(note(home, "rotate", "access rotate", "key " + name));
  return shown(TRY(store::rotate_key(home, rule, name)));
}

Result<json::value> add_token(const store::Home& home, const TokenRequest& request) {
  RoleToken token;
  token.role = TRY(parse_access_role(request.role));
  token.name = request.name.empty() ? request.role : request.name;
  token.expires_at = TRY(expiry_of(request.expires));
  TRY(note(home, "make", "access token", "token " + token.name + " for " + request.role));
  const store::IssuedToken issued = TRY(store::issue_token(home, rule, std::move(token)));
  json::value out = to_public_json(issued.token);
  out.get_object()["secret"] = issued.secret.reveal();
  return out;
}

Result<json::value> revoke_access(const store::Home& home, const std::string& name) {
  TRY(note(home, "revoke", "access revoke", name));
  TRY(store::revoke_access(home, rule, name));
  return json::object{{"revoked", name}};
}

Result<json::value> list_access(const store::Home& home) {
  const AccessList list = TRY(store::load_access(home, rule));
  const store::SpendByKey spend = TRY(store::load_spend(home.directory() / "spend.json"));
  json::array keys;
  for (const VirtualKey& key : list.keys) {
    json::value entry = to_public_json(key);
    entry.get_object()["spent"] = spent(spend, key.name);
    keys.push_back(std::move(entry));
  }
  json::array tokens;
  for (const RoleToken& token : list.tokens) tokens.push_back(to_public_json(token));
  return json::object{{"keys", std::move(keys)}, {"tokens", std::move(tokens)}};
}

}  // namespace understudy::console
