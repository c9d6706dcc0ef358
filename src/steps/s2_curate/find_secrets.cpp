#include "steps/s2_curate/find_secrets.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "steps/s2_curate/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t quoted_bytes_min = 6;
constexpr std::size_t bare_bytes_min = 8;
constexpr std::size_t token_bytes_min = 16;
constexpr std::size_t value_bytes_max = 512;
constexpr double entropy_bits_min = 2.5;  // "aaaaaaaa" has 0, "hunter2hunter2" 2.6, random hex 3.5

constexpr std::array formats = {
    SecretFormat{"anthropic_key", "sk-ant-[A-Za-z0-9_-]{16}"},
    SecretFormat{"openai_key", "sk-[A-Za-z0-9_-]{20}"},
    SecretFormat{"github_token", "gh[pousr]_[A-Za-z0-9]{20}"},
    SecretFormat{"github_token", "github_pat_[A-Za-z0-9_]{22}"},
    SecretFormat{"gitlab_token", "glpat-[A-Za-z0-9_-]{20}"},
    SecretFormat{"aws_key", "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"},
    SecretFormat{"slack_token", "xox[abeoprs]-[A-Za-z0-9-]{10}"},
    SecretFormat{"slack_webhook", "hooks\\.slack\\.com/services/[A-Za-z0-9/]{20}"},
    SecretFormat{"google_key", "AIza[A-Za-z0-9_-]{20}"},
    SecretFormat{"google_token", "ya29\\.[A-Za-z0-9_-]{20}"},
    SecretFormat{"stripe_key", "[rs]k_(?:live|test)_[A-Za-z0-9]{16}"},
    SecretFormat{"huggingface_token", "hf_[A-Za-z0-9]{20}"},
    SecretFormat{"npm_token", "npm_[A-Za-z0-9]{20}"},
    SecretFormat{"pypi_token", "pypi-AgE[A-Za-z0-9_-]{20}"},
    SecretFormat{"sendgrid_key", "SG\\.[A-Za-z0-9_-]{16}"},
    SecretFormat{"twilio_key", "SK[0-9a-f]{30}"},
    SecretFormat{"digitalocean_token", "do[opr]_v1_[a-f0-9]{20}"},
    SecretFormat{"groq_key", "gsk_[A-Za-z0-9]{20}"},
    SecretFormat{"nvidia_key", "nvapi-[A-Za-z0-9_-]{20}"},
    SecretFormat{"jwt", "eyJ[A-Za-z0-9_-]{10}"},
    SecretFormat{"bearer_token", "[Bb]earer[ \\t]{1,4}[A-Za-z0-9._~+/=-]{16}"},
    SecretFormat{"private_key", "-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY"},
};

constexpr auto placeholders = std::to_array<std::string_view>(
    {"change", "example", "placeholder", "your", "xxxx", "****", "....", "dummy", "redacted",
     "secret_key", "password", "insert", "replace", "null"});

bool is_secret_byte(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == '~' || c == '+' || c == '/' ||
         c == '=';
}

double entropy_bits(std::string_view text) {
  std::array<int, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

// A key of words ("sk-boosts-lung-cancer-portfolio") is a headline, not a key.
bool looks_random(std::string_view text) {
  const bool digit = std::ranges::any_of(text, is_digit);
  return digit && std::ranges::any_of(text, is_letter) && entropy_bits(text) >= 3.0 &&
         (std::ranges::any_of(text, is_upper) || !text.contains('-') ||
          std::ranges::count_if(text, is_digit) * 5 >= static_cast<std::ptrdiff_t>(text.size()));
}

bool is_placeholder(std::string_view value) {
  const std::string lower = lower_ascii(value);
  return std::ranges::any_of(placeholders,
                             [&](std::string_view word) { return lower.contains(word); });
}

bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

std::size_t private_key_end(std::string_view text, std::size_t begin) {
  const std::size_t footer = text.find("-----END", begin);
  if (footer == std::string_view::npos) return text.size();  // cut short: all that follows is key
  const std::size_t line = text.find("KEY-----", footer);
  return line == std::string_view::npos ? text.size() : line + 8;
}

Entity secret(std::string_view text, Place place, std::string_view kind) {
  return {.type = EntityType::secret,
          .begin = place.begin,
          .end = place.end,
          .value = std::string(text.substr(place.begin, place.end - place.begin)),
          .kind = std::string(kind)};
}

// Without quotes only what cannot be code, a path or a word: letters and digits (or signs) mixed.
bool is_bare_secret(std::string_view value) {
  if (value.size() < bare_bytes_min || value.size() > value_bytes_max) return false;
  const auto code = [](char c) { return std::string_view("()[]{}<>$\\").contains(c); };
  if (std::ranges::any_of(value, code)) return false;
  const bool mixed = std::ranges::any_of(value, is_digit) && std::ranges::any_of(value, is_letter);
  return mixed && entropy_bits(value) >= entropy_bits_min && !is_placeholder(value);
}

bool is_quoted_secret(std::string_view value, std::size_t bytes_min) {
  if (value.size() < bytes_min || value.size() > value_bytes_max) return false;
  const auto never = [](char c) { return is_space(c) || std::string_view("{}<>$").contains(c); };
  if (std::ranges::any_of(value, never) || is_placeholder(value)) return false;
  const bool only_letters =
      std::ranges::all_of(value, [](char c) { return is_letter(c) || c == '_'; });
  return !only_letters && entropy_bits(value) >= 2.0;
}

// "token" and "secret" name many things; their values must look random.
bool is_weak_name(std::string_view name) {
  return name.ends_with("token") || name.ends_with("secret");
}

std::string_view assignment_kind(std::string_view name) {
  if (name.contains("pass") || name.contains("pwd")) return "password";
  return name.contains("token") ? "token" : "key";
}

}  // namespace

std::span<const SecretFormat> secret_formats() { return formats; }

std::optional<Entity> find_formatted_secret(const Leaf& leaf, Place place,
                                            const SecretFormat& format) {
  const std::string_view text = leaf.text;
  if (format.kind == "private_key")
    return secret(text, {place.begin, private_key_end(text, place.begin)}, format.kind);
  if (continues_word_before(text, place.begin) || (place.begin > 0 && text[place.begin - 1] == '-'))
    return std::nullopt;
  std::size_t begin = place.begin;
  std::size_t end = place.end;
  const bool dots = format.kind == "jwt" || format.kind == "bearer_token" ||
                    format.kind == "sendgrid_key" || format.kind == "google_token";
  while (end < text.size() && is_secret_byte(text[end]) && (dots || text[end] != '.')) ++end;
  while (end > place.end && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
  if (format.kind == "bearer_token") {  // the word itself stays
    begin += 6;
    while (text[begin] == ' ' || text[begin] == '\t') ++begin;
  }
  const bool other_base64 =
      format.kind == "jwt" && !text.substr(begin, end - begin).contains(".eyJ");
  if (other_base64) return std::nullopt;
  if (!looks_random(text.substr(begin, end - begin)) && format.kind != "aws_key")
    return std::nullopt;
  return secret(text, {begin, end}, format.kind);
}

std::string_view assignment_expression() {
  return "(?:password|passwd|pwd|passphrase|api[_-]?key|secret[_-]?key|access[_-]?key|"
         "private[_-]?key|client[_-]?secret|secret|token)\\\\?[\"']?[ \\t]{0,3}(?::=|=>|=|:)";
}

std::optional<Entity> find_assigned_secret(const Leaf& leaf, Place place) {
  const std::string_view text = leaf.text;
  const std::string name = [&] {
    std::string written = lower_ascii(text.substr(place.begin, place.end - place.begin));
    while (!written.empty() && !is_letter(written.back())) written.pop_back();
    return written;
  }();
  std::size_t begin = place.end;
  while (begin < text.size() && (text[begin] == ' ' || text[begin] == '\t')) ++begin;
  if (begin < text.size() && (text[begin] == '=' || text[begin] == ':')) return std::nullopt;
  // In text with unread escapes a quote is written \".
  if (begin + 1 < text.size() && text[begin] == '\\' && is_quote(text[begin + 1])) ++begin;
  if (begin >= text.size()) return std::nullopt;
  const std::size_t weak_min = is_weak_name(name) ? token_bytes_min : quoted_bytes_min;
  if (is_quote(text[begin])) {
    const std::size_t end = text.find(text[begin], begin + 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view value = text.substr(begin + 1, end - begin - 1);
    if (value.ends_with('\\')) value.remove_suffix(1);
    if (!is_quoted_secret(value, weak_min)) return std::nullopt;
    return secret(text, {begin + 1, begin + 1 + value.size()}, assignment_kind(name));
  }
  std::size_t end = begin;
  while (end < text.size() && !is_space(text[end]) && !is_quote(text[end]) && text[end] != ',' &&
         text[end] != ';' && text[end] != '&' && end - begin <= value_bytes_max)
    ++end;
  while (end > begin && (text[end - 1] == '.' || text[end - 1] == ')')) --end;
  const std::string_view value = text.substr(begin, end - begin);
  if (!is_bare_secret(value) || (is_weak_name(name) && value.size() < token_bytes_min))
    return std::nullopt;
  return secret(text, {begin, end}, assignment_kind(name));
}

std::optional<Entity> find_keyed_secret(const Leaf& leaf) {
  std::string name;
  for (const char c : leaf.key) {
    if (is_alnum(c)) name += to_lower(c);
  }
  constexpr auto strong = std::to_array<std::string_view>(
      {"password", "passwd", "pwd", "passphrase", "apikey", "secretkey", "accesskey", "privatekey",
       "clientsecret", "authtoken", "accesstoken", "secret", "token", "authorization"});
  const bool telling =
      std::ranges::any_of(strong, [&](std::string_view word) { return name.ends_with(word); });
  if (!telling) return std::nullopt;
  const bool weak = is_weak_name(name) || name == "authorization";
  if (!is_quoted_secret(leaf.text, weak ? token_bytes_min : quoted_bytes_min)) return std::nullopt;
  return secret(leaf.text, {0, leaf.text.size()}, assignment_kind(name));
}

}  // namespace understudy::s2
