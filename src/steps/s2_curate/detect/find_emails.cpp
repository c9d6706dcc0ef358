#include <algorithm>
#include <array>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/checksums.hpp"
#include "steps/s2_curate/detect/finders.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t email_bytes_max = 254;  // RFC 5321
constexpr std::size_t secret_bytes_max = 256;

// What follows a dot in code ("n@app.route") and is no top-level domain.
constexpr auto code_words = std::to_array<std::string_view>(
    {"class", "config", "cpp",  "css",  "delete", "errorhandler", "get",  "getter",   "html",
     "java",  "js",     "json", "jpg",  "patch",  "png",          "post", "property", "put",
     "route", "setter", "svg",  "test", "ts",     "txt",          "xml",  "yaml",     "yml"});

bool is_local_byte(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (is_alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-') return true;
  if (is_latin_lead(c)) return at + 1 < text.size() && is_continuation(text[at + 1]);
  return is_continuation(c) && at > 0 && is_latin_lead(text[at - 1]);
}

bool is_domain_byte(std::string_view text, std::size_t at) {
  return is_local_byte(text, at) && text[at] != '_' && text[at] != '%' && text[at] != '+';
}

// Letters only, or an internationalised name in its ASCII form.
bool is_top_level(std::string_view label) {
  if (label.size() < 2 || label.size() > 24) return false;
  if (label.starts_with("xn--")) return true;
  return std::ranges::all_of(label, is_letter) &&
         std::ranges::find(code_words, lower_ascii(label)) == code_words.end();
}

// The end of the longest beginning of text[begin, end) that is a domain name, or begin.
std::size_t domain_end(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (end < text.size() && end - begin < email_bytes_max && is_domain_byte(text, end)) ++end;
  std::string_view domain = text.substr(begin, end - begin);
  while (!domain.empty()) {
    while (domain.ends_with('.') || domain.ends_with('-')) domain.remove_suffix(1);
    const std::size_t dot = domain.rfind('.');
    if (dot == std::string_view::npos || dot == 0) return begin;
    if (is_top_level(domain.substr(dot + 1)) && !domain.contains(".."))
      return begin + domain.size();
    domain = domain.substr(0, dot);
  }
  return begin;
}

// "\nmary@x.org" in text with unread escapes: the name begins behind the escape.
std::size_t behind_escape(std::string_view text, std::size_t begin) {
  if (begin == 0 || text[begin - 1] != '\\' || begin + 1 >= text.size()) return begin;
  const char c = text[begin];
  return c == 'n' || c == 't' || c == 'r' ? begin + 1 : begin;
}

bool is_url_password(std::string_view text, std::size_t at) {
  const std::size_t start = at > secret_bytes_max ? at - secret_bytes_max : 0;
  const std::string_view window = text.substr(start, at - start);
  const std::size_t scheme = window.rfind("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view user = window.substr(scheme + 3);
  const auto ends_url = [](char c) {
    return is_space(c) || std::string_view("/\"'`;<>").contains(c);
  };
  return user.contains(':') && std::ranges::none_of(user, ends_url);
}

}  // namespace

std::optional<Entity> find_email(const Leaf& leaf, std::size_t at) {
  const std::string_view text = leaf.text;
  if (is_url_password(text, at)) return std::nullopt;
  std::size_t begin = at;
  while (begin > 0 && at - begin < email_bytes_max && is_local_byte(text, begin - 1)) --begin;
  begin = behind_escape(text, begin);
  while (begin < at && (text[begin] == '.' || text[begin] == '-' || text[begin] == '+')) ++begin;
  if (begin == at || text[at - 1] == '.' || text[at - 1] == '+') return std::nullopt;
  const std::size_t end = domain_end(text, at + 1);
  if (end == at + 1) return std::nullopt;
  const std::string value = lower_ascii(text.substr(begin, end - begin));
  if (value.starts_with("git@")) return std::nullopt;  // the user of every forge, nobody's address
  return Entity{.type = EntityType::email, .begin = begin, .end = end, .value = value};
}

std::optional<Entity> find_url_password(const Leaf& leaf, std::size_t at) {
  const std::string_view text = leaf.text;
  if (!is_url_password(text, at)) return std::nullopt;
  const std::size_t scheme = text.substr(0, at).rfind("://");
  const std::size_t begin = text.find(':', scheme + 3) + 1;
  const std::string_view password = text.substr(begin, at - begin);
  // "https://user:{password}@host" is a form to fill in.
  if (password.empty() || std::string_view("{<$[*").contains(password.front())) return std::nullopt;
  return Entity{.type = EntityType::secret,
                .begin = begin,
                .end = at,
                .value = std::string(password),
                .kind = "url_password"};
}

}  // namespace understudy::s2
