#include <algorithm>
#include <array>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/find_secrets.hpp"
#include "steps/s2_curate/detect/secret_values.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t quoted_bytes_min = 6;
constexpr std::size_t bare_bytes_min = 8;
constexpr std::size_t named_bytes_min = 10;  // "api_key", "client_secret"
constexpr std::size_t weak_bytes_min = 16;   // "token", "secret", "auth": their values must be long
constexpr std::size_t name_bytes_max = 48;
constexpr std::size_t spaces_max = 12;  // before and behind the sign
constexpr std::size_t value_bytes_max = 512;

constexpr auto words = std::to_array<std::string_view>(
    {"passw", "pwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "accesskey",
     "access_key", "access-key", "auth", "credential", "private_key", "privatekey", "_key", "-key",
     "_pass"});

// What such a name may end with and then is none of a secret: an id, a place, a count.
constexpr auto harmless_ends = std::to_array<std::string_view>(
    {"id",         "ids",         "url",         "uri",     "path",    "file",       "name",
     "type",       "count",       "length",      "limit",   "size",    "tokens",     "version",
     "author",     "authors",     "authority",   "expiry",  "expires", "expires_in", "public_key",
     "publickey",  "primary_key", "foreign_key", "results", "source",  "method",     "max_token",
     "ttl",        "field",       "label",       "hint",    "policy",  "status",     "keyword",
     "variable",   "accessor",    "issuer",      "host",    "domain",  "index",      "cert",
     "certificate"});

bool is_name_byte(char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

enum class Strength { none, weak, named, strong };

Strength strength_of(std::string_view name) {
  const auto ends = [&](std::string_view word) { return name.ends_with(word); };
  if (std::ranges::any_of(harmless_ends, ends)) return Strength::none;
  const auto has = [&](std::string_view word) { return name.contains(word); };
  if (has("passw") || has("pwd") || has("passphrase") || ends("pass") || ends("passwort"))
    return Strength::strong;
  constexpr auto named = std::to_array<std::string_view>(
      {"apikey",        "api_key",       "api-key",    "secretkey",  "secret_key",  "secret-key",
       "accesskey",     "access_key",    "access-key", "privatekey", "private_key", "clientsecret",
       "client_secret", "client-secret", "api-token",  "api_token",  "apitoken",    "accesstoken",
       "access_token",  "authtoken",     "auth_token", "auth-token", "appsecret",   "app_secret"});
  if (std::ranges::any_of(named, ends)) return Strength::named;
  const bool weak = ends("token") || ends("secret") || ends("auth") || ends("credential") ||
                    ends("credentials") || ends("_key") || ends("-key") || ends("authorization") ||
                    ends("licensekey") || has("secret");
  return weak ? Strength::weak : Strength::none;
}

std::size_t bytes_min(Strength strength, Quotes quotes) {
  switch (strength) {
    case Strength::strong: return quotes == Quotes::some ? quoted_bytes_min : bare_bytes_min;
    case Strength::named: return named_bytes_min;
    default: return weak_bytes_min;
  }
}

std::string_view assignment_kind(std::string_view name) {
  if (name.contains("pass") || name.contains("pwd")) return "password";
  return name.contains("token") ? "token" : "key";
}

struct Assignment {
  std::string name;  // lower case
  Place value = {};
  Quotes quotes = Quotes::none;
};

// Behind the name: a quote, a bracket, then "=", ":", ":=", "=>", "?=", or "," between arguments,
// or a space behind "--token".
std::optional<std::size_t> behind_sign(std::string_view text, std::size_t at, bool is_option) {
  const auto skip = [&](std::string_view characters, std::size_t most) {
    for (std::size_t i = 0; i < most && at < text.size() && characters.contains(text[at]); ++i)
      ++at;
  };
  const std::size_t name_end = at;
  skip("\\", 1);
  skip("\"'`", 1);
  skip("]", 1);
  skip(" \t", spaces_max);
  const std::size_t sign = at;
  skip("?:=,>", 4);
  if (at == sign) return is_option && at > name_end ? std::optional(at) : std::nullopt;
  const std::string_view written = text.substr(sign, at - sign);
  if (written == "==" || written == "::" || written == ">" || written == "?") return std::nullopt;
  if (written == "," && !(sign > 0 && is_quote(text[sign - 1]))) return std::nullopt;
  skip(" \t", spaces_max);
  return at;
}

std::optional<Assignment> read_assignment(std::string_view text, Place word) {
  std::size_t begin = word.begin;
  while (begin > 0 && word.begin - begin < name_bytes_max && is_name_byte(text[begin - 1])) --begin;
  std::size_t name_end = word.end;
  while (name_end < text.size() && name_end - word.end < name_bytes_max &&
         is_name_byte(text[name_end]))
    ++name_end;
  const bool is_option = text.substr(begin, 2) == "--";
  const auto value_begin = behind_sign(text, name_end, is_option);
  if (!value_begin || *value_begin >= text.size()) return std::nullopt;
  Assignment found{.name = lower_ascii(text.substr(begin, name_end - begin))};
  std::size_t at = *value_begin;
  // In text with unread escapes a quote is written \".
  if (at + 1 < text.size() && text[at] == '\\' && is_quote(text[at + 1])) ++at;
  if (is_quote(text[at])) {
    const std::size_t end = text.find(text[at], at + 1);
    if (end == std::string_view::npos || end - at > value_bytes_max) return std::nullopt;
    found.value = {.begin = at + 1, .end = end};
    if (end > at + 1 && text[end - 1] == '\\') --found.value.end;
    found.quotes = Quotes::some;
    return found;
  }
  std::size_t end = at;
  while (end < text.size() && !is_space(text[end]) && !is_quote(text[end]) &&
         !std::string_view(",;&<>").contains(text[end]) && end - at <= value_bytes_max)
    ++end;
  while (end > at && std::string_view(".)\\").contains(text[end - 1])) --end;
  found.value = {.begin = at, .end = end};
  return found;
}

const NamedFormat* named_format(std::string_view name, std::string_view value) {
  for (const NamedFormat& format : named_formats()) {
    if (value.size() < format.value.min || value.size() > format.value.max) continue;
    if (!name.contains(format.name)) continue;
    if (std::ranges::all_of(value, [&](char c) { return is_in(format.value.alphabet, c); }))
      return &format;
  }
  return nullptr;
}

// "okta" in "oktaToken" and "OKTA_TOKEN", not in "rookTable", "sumOfAll".
bool is_name_of(std::string_view text, Place word) {
  const std::string_view written = text.substr(word.begin, word.end - word.begin);
  const bool upper = std::ranges::none_of(written, is_lower);
  const bool lower_tail = std::ranges::none_of(written.substr(1), is_upper);
  if (!upper && !lower_tail) return false;
  return word.begin == 0 || !is_letter(text[word.begin - 1]) ||
         (is_upper(written.front()) && is_lower(text[word.begin - 1]));
}

}  // namespace

std::span<const std::string_view> secret_words() { return words; }

std::optional<Entity> find_assigned_secret(const Leaf& leaf, Place place) {
  const std::string_view text = leaf.text;
  const auto assignment = read_assignment(text, place);
  if (!assignment) return std::nullopt;
  const auto& [name, at, quotes] = *assignment;
  const std::string_view value = text.substr(at.begin, at.end - at.begin);
  const NamedFormat* named = named_format(name, value);
  if (named != nullptr && is_name_of(text, place) && !is_placeholder_value(value) &&
      (named->value.alphabet == Alphabet::hex_pair || looks_random(value)))
    return secret_at(text, at, named->kind);
  const Strength strength = strength_of(name);
  if (strength == Strength::none || !is_assigned_secret(value, quotes, bytes_min(strength, quotes)))
    return std::nullopt;
  if (strength == Strength::weak && !looks_random(value)) return std::nullopt;
  return secret_at(text, at, assignment_kind(name));
}

std::optional<Entity> find_keyed_secret(const Leaf& leaf) {
  if (leaf.key.empty() || leaf.text.size() < quoted_bytes_min || leaf.text.size() > value_bytes_max)
    return std::nullopt;
  std::string name = lower_ascii(leaf.key);
  std::ranges::replace(name, '-', '_');
  const NamedFormat* named = named_format(name, leaf.text);
  const Place all{.begin = 0, .end = leaf.text.size()};
  if (named != nullptr && !is_placeholder_value(leaf.text) && looks_random(leaf.text))
    return secret_at(leaf.text, all, named->kind);
  const Strength strength = strength_of(name);
  if (strength == Strength::none ||
      !is_assigned_secret(leaf.text, Quotes::some, bytes_min(strength, Quotes::some)))
    return std::nullopt;
  if (strength == Strength::weak && !looks_random(leaf.text)) return std::nullopt;
  return secret_at(leaf.text, all, assignment_kind(name));
}

}  // namespace understudy::s2
