#include "adapters/store/access_changes.hpp"

#include "base/clock.hpp"

namespace understudy::store {

namespace {

Status check_expiry(UnixMicros expires_at) {
  if (!expires_at.known() || expires_at > now()) return {};
  return fail(ErrorCode::invalid_input, to_iso8601(expires_at) + " is in the past",
              "give a later time, or none");
}

Status check_free(AccessList& list, const std::string& name) {
  TRY(check_access_name(name));
  if (list.find_key(name) == nullptr && list.find_token(name) == nullptr) return {};
  return fail(
      ErrorCode::conflict, "the name " + name + " is taken",
      "choose another one, or give that key a new secret: `understudy access rotate " + name + "`");
}

std::unexpected<Error> no_such(std::string_view what, const std::string& name) {
  return fail(ErrorCode::not_found, "there is no " + std::string(what) + " " + name,
              "`understudy access list` shows them");
}

}  // namespace

Result<IssuedKey> issue_key(const Home& home, SignatureRule rule, VirtualKey wanted) {
  TRY(check_expiry(wanted.expires_at));
  const crypto::AccessSecret secret = crypto::make_access_secret(crypto::virtual_key_prefix);
  wanted.hash = secret.hash;
  wanted.hint = secret.hint;
  wanted.created_at = now();
  wanted.revoked_at = {};
  TRY(change_access(home, rule, [&](AccessList& list) -> Status {
    TRY(check_free(list, wanted.name));
    list.keys.push_back(wanted);
    return {};
  }));
  return IssuedKey{.key = std::move(wanted), .secret = secret.text};
}

Result<IssuedToken> issue_token(const Home& home, SignatureRule rule, RoleToken wanted) {
  TRY(check_expiry(wanted.expires_at));
  const crypto::AccessSecret secret = crypto::make_access_secret(crypto::role_token_prefix);
  wanted.hash = secret.hash;
  wanted.hint = secret.hint;
  wanted.created_at = now();
  wanted.revoked_at = {};
  TRY(change_access(home, rule, [&](AccessList& list) -> Status {
    TRY(check_free(list, wanted.name));
    list.tokens.push_back(wanted);
    return {};
  }));
  return IssuedToken{.token = std::move(wanted), .secret = secret.text};
}

Result<IssuedKey> rotate_key(const Home& home, SignatureRule rule, const std::string& name) {
  const crypto::AccessSecret secret = crypto::make_access_secret(crypto::virtual_key_prefix);
  IssuedKey issued;
  TRY(change_access(home, rule, [&](AccessList& list) -> Status {
    VirtualKey* key = list.find_key(name);
    if (key == nullptr) return no_such("key", name);
    if (key->revoked_at.known()) {
      return fail(ErrorCode::conflict, "the key " + name + " is revoked",
                  "issue one of another name: `understudy access add --name NAME`");
    }
    key->hash = secret.hash;
    key->hint = secret.hint;
    issued.key = *key;
    return {};
  }));
  issued.secret = secret.text;
  return issued;
}

Status revoke_access(const Home& home, SignatureRule rule, const std::string& name) {
  return change_access(home, rule, [&](AccessList& list) -> Status {
    VirtualKey* key = list.find_key(name);
    RoleToken* token = list.find_token(name);
    if (key == nullptr && token == nullptr) return no_such("key or token", name);
    UnixMicros& revoked_at = key != nullptr ? key->revoked_at : token->revoked_at;
    if (!revoked_at.known()) revoked_at = now();
    return {};
  });
}

Result<UnixMicros> parse_expiry(std::string_view text) {
  constexpr std::size_t date_bytes = 10;
  const std::string whole =
      text.size() == date_bytes ? std::string(text) + "T00:00:00Z" : std::string(text);
  const auto time = parse_iso8601(whole);
  if (time && time->known()) return *time;
  return fail(ErrorCode::invalid_input, "\"" + std::string(text.substr(0, 40)) + "\" is no date",
              "write 2027-01-31, or 2027-01-31T18:00:00Z");
}

}  // namespace understudy::store
