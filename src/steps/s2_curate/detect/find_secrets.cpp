#include "steps/s2_curate/detect/find_secrets.hpp"

#include <algorithm>
#include <array>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/encodings.hpp"
#include "steps/s2_curate/detect/secret_values.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t short_literal_bytes = 3;
constexpr std::size_t telling_literal_bytes = 5;
constexpr std::size_t telling_length_range = 60;
constexpr std::size_t random_bytes_min = 16;
constexpr std::size_t header_bytes_max = 60;  // of "-----BEGIN ... PRIVATE KEY-----"
constexpr std::size_t key_body_bytes_min = 6;
constexpr std::size_t command_bytes_max = 2000;
constexpr std::size_t token_bytes_min = 8;
constexpr std::size_t letters_bytes_min = 30;  // of a key that has no digit

std::size_t end_of(Run run, std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && end - at <= run.max && is_in(run.alphabet, text[end])) ++end;
  // A sentence's full stop, or the end of a quoted list.
  while (end > at && (text[end - 1] == '.' || (text[end - 1] == '-' && end - at > run.max))) --end;
  return end;
}

std::size_t begin_of(Run run, std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && at - begin <= run.max && is_in(run.alphabet, text[begin - 1])) --begin;
  return begin;
}

std::string_view without_padding(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return text;
}

// A member that headers of JSON Web Tokens have (RFC 7515, section 4.1).
bool names_header(std::string_view header) {
  return header.contains("\"alg\"") || header.contains("\"typ\"") || header.contains("\"kid\"") ||
         header.contains("\"x5t\"");
}

bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

}  // namespace

Entity secret_at(std::string_view text, Place place, std::string_view kind) {
  return {.type = EntityType::secret,
          .begin = place.begin,
          .end = place.end,
          .value = std::string(text.substr(place.begin, place.end - place.begin)),
          .kind = std::string(kind)};
}

std::optional<Entity> find_formatted_secret(const Leaf& leaf, Place place,
                                            const SecretFormat& format) {
  const std::string_view text = leaf.text;
  const std::size_t end = end_of(format.behind, text, place.end);
  if (end - place.end < format.behind.min || end - place.end > format.behind.max)
    return std::nullopt;
  if (end < text.size() && is_alnum(text[end]) && format.behind.max > 0) return std::nullopt;
  std::size_t begin = place.begin;
  if (format.before.max > 0) {
    begin = begin_of(format.before, text, place.begin);
    if (place.begin - begin < format.before.min || place.begin - begin > format.before.max)
      return std::nullopt;
  }
  const bool starts_inside = !is_alnum(format.literal.front()) && format.before.max == 0;
  if (!starts_inside && continues_word_before(text, begin)) return std::nullopt;
  if (begin > 0 && text[begin - 1] == '-' && !starts_inside) return std::nullopt;
  if (begin > 1 && text[begin - 1] == '.' && is_alnum(text[begin - 2]) && !starts_inside &&
      format.literal.size() < telling_literal_bytes)
    return std::nullopt;  // "box.ico-7a38"
  const std::string_view key = text.substr(begin, end - begin);
  const std::string_view body = text.substr(place.end, end - place.end);
  if (is_placeholder(key)) return std::nullopt;
  if (end < text.size() && (text[end] == '#' || text[end] == '*')) return std::nullopt;  // masked
  if (body.contains("..")) return std::nullopt;
  // Anthropic's API and admin keys end with "AA".
  if (format.kind.starts_with("anthropic_") && format.behind.max > 94 && !body.ends_with("AA"))
    return std::nullopt;
  const std::string_view drawn = format.before.max > 0 ? key : body;
  if (drawn.size() < random_bytes_min) return secret_at(text, {begin, end}, format.kind);
  // A long literal and a length that few words have are evidence enough.
  const bool telling = format.literal.size() >= telling_literal_bytes &&
                       format.behind.max - format.behind.min <= telling_length_range;
  const bool digit = std::ranges::any_of(drawn, is_digit);
  if (telling && (digit || entropy_bits(drawn) >= 4) && entropy_bits(drawn) >= 2.8)
    return secret_at(text, {begin, end}, format.kind);
  // Letters alone, where a short literal begins them: only in the very length of the key.
  const bool exact = drawn.size() == format.behind.min && drawn.size() >= letters_bytes_min;
  if (format.literal.size() <= short_literal_bytes && !digit && !exact) return std::nullopt;
  if (!looks_random(drawn)) return std::nullopt;
  return secret_at(text, {begin, end}, format.kind);
}

std::optional<Entity> find_private_key(std::string_view text, std::size_t begin) {
  const std::string_view header = text.substr(begin, header_bytes_max);
  const std::size_t name = header.find("PRIVATE KEY");
  if (name == std::string_view::npos) return std::nullopt;
  const std::size_t body = text.find_first_not_of("-", begin + name + 11);
  const std::size_t footer = text.find("-----END", begin + name);
  if (footer == std::string_view::npos)  // cut short: all that follows is key
    return body == std::string_view::npos
               ? std::nullopt
               : std::optional(secret_at(text, {begin, text.size()}, "private_key"));
  if (body == std::string_view::npos || body + key_body_bytes_min > footer) return std::nullopt;
  const std::size_t line = text.find("-----", footer + 8);
  const std::size_t end = line == std::string_view::npos ? text.size() : line + 5;
  return secret_at(text, {begin, end}, "private_key");
}

std::optional<Entity> find_jwt(std::string_view text, std::size_t begin) {
  if (continues_word_before(text, begin)) return std::nullopt;
  const Run part{.alphabet = Alphabet::url_safe, .min = 8, .max = 100'000};
  std::size_t end = begin;
  std::size_t parts = 0;
  while (parts < 3) {
    const std::size_t from = end;
    while (end < text.size() && is_in(part.alphabet, text[end])) ++end;
    while (end < text.size() && text[end] == '=') ++end;
    if (end - from < part.min) break;
    const auto decoded = decode_base64(without_padding(text.substr(from, end - from)));
    if (parts == 0 && (!decoded || !decoded->ends_with('}') || !names_header(*decoded)))
      return std::nullopt;
    if (parts == 1 && (!decoded || !decoded->starts_with('{'))) return std::nullopt;
    ++parts;
    if (parts == 3 || end >= text.size() || text[end] != '.') break;
    ++end;
  }
  if (parts < 2) return std::nullopt;
  if (text[end - 1] == '.') --end;
  return secret_at(text, {begin, end}, "jwt");
}

std::optional<Entity> find_authorization(std::string_view text, std::size_t begin) {
  const auto skip = [&](std::string_view characters) {
    while (begin < text.size() && characters.contains(text[begin])) ++begin;
  };
  skip("\"'\\ \t:=,");
  constexpr auto schemes = std::to_array<std::string_view>(
      {"bearer", "basic", "token", "api-token", "apikey", "api-key", "digest", "negotiate"});
  bool scheme_seen = false;
  for (const std::string_view scheme : schemes) {
    if (lower_ascii(text.substr(begin, scheme.size())) != scheme) continue;
    begin += scheme.size();
    if (begin >= text.size() || (text[begin] != ' ' && text[begin] != '\t')) return std::nullopt;
    skip(" \t");
    scheme_seen = true;
    break;
  }
  std::size_t end = begin;
  const auto is_value = [&](char c) { return is_in(Alphabet::token, c) || c == '@' || c == ':'; };
  while (end < text.size() && is_value(text[end])) ++end;
  while (end > begin && (text[end - 1] == '.' || text[end - 1] == ',' || text[end - 1] == ':'))
    --end;
  const std::string_view value = text.substr(begin, end - begin);
  const std::size_t bytes_min = scheme_seen ? token_bytes_min : random_bytes_min;
  if (value.size() < bytes_min || is_placeholder(value)) return std::nullopt;
  const bool mixed = std::ranges::any_of(value, is_digit) && std::ranges::any_of(value, is_letter);
  if (!mixed && !looks_random(value)) return std::nullopt;
  return entropy_bits(value) >= 2.5 ? std::optional(secret_at(text, {begin, end}, "authorization"))
                                    : std::nullopt;
}

std::optional<Entity> find_curl_password(std::string_view text, std::size_t begin) {
  std::string_view command = text.substr(begin, command_bytes_max);
  command = command.substr(0, command.find("curl"));  // the next one's options are its own
  std::size_t option = std::string_view::npos;
  for (const std::string_view flag : {" -u ", " --user ", " -u=", " --user="}) {
    const std::size_t at = command.find(flag);
    if (at != std::string_view::npos) option = std::min(option, at + flag.size());
  }
  if (option == std::string_view::npos) return std::nullopt;
  std::size_t at = begin + option;
  while (at < text.size() && text[at] == ' ') ++at;
  // The shell's word: quoted parts and bare ones up to the next space.
  std::string word;
  std::vector<std::size_t> places;
  char quote = 0;
  for (; at < text.size() && word.size() < 256; ++at) {
    const char c = text[at];
    if (quote == 0 && is_space(c)) break;
    if (c == quote || (quote == 0 && is_quote(c))) {
      quote = quote == 0 ? c : '\0';
      continue;
    }
    word += c;
    places.push_back(at);
  }
  const std::size_t colon = word.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string_view user = std::string_view(word).substr(0, colon);
  const std::string_view password = std::string_view(word).substr(colon + 1);
  const bool in_front = password.empty();  // "key:" and no password
  const std::string_view value = in_front ? user : password;
  constexpr auto no_passwords = std::to_array<std::string_view>(
      {"pass", "password", "token", "test", "secret", "passwd", "pwd", "yyy", "pw"});
  const auto is_shell = [](char c) { return std::string_view("<[").contains(c); };
  if (value.size() < 3 || is_shell(value.front()) || word.starts_with('<') ||
      value.front() == '$' || value.starts_with("{{") ||
      value == user.substr(0, in_front ? 0 : user.size()) ||
      std::ranges::find(no_passwords, lower_ascii(value)) != no_passwords.end())
    return std::nullopt;
  const std::size_t first = in_front ? 0 : colon + 1;
  return secret_at(text, {places[first], places[first + value.size() - 1] + 1}, "curl_password");
}

}  // namespace understudy::s2
