// Values that several tables of understudy.toml have.
#include "live/config/config_parse.hpp"

#include <algorithm>
#include <format>

namespace understudy::live {

bool is_header_name(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char c) {
    return c > 0x20 && c < 0x7f && !std::string_view("\"(),/:;<=>?@[\\]{}").contains(char(c));
  });
}

// What is wrong with the base URL of an upstream; empty: nothing.
std::string_view url_problem(std::string_view url) {
  if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else if (url.starts_with("https://")) {
    url.remove_prefix(8);
  } else {
    return "wants a URL such as \"https://api.example.com/v1\"";
  }
  const std::string_view authority = url.substr(0, url.find('/'));
  if (authority.empty() || authority.starts_with(':')) return "names no host";
  if (authority.contains('@')) return "holds credentials; name a variable with api_key_env instead";
  if (url.contains('?') || url.contains('#') || url.contains(' '))
    return "is a base URL: without '?', '#' and blanks";
  if (const std::size_t colon = authority.rfind(':');
      colon != std::string_view::npos && !authority.ends_with(']') &&
      !parse_endpoint("h" + std::string(authority.substr(colon))))
    return "has a port that is no number up to 65535";
  return {};
}

void read_endpoint(TableReader& reader, std::string_view key, Endpoint& value) {
  if (!reader.has(key)) return reader.allow(key);
  std::string text;
  reader.text(key, text);
  if (text.empty()) return;  // reported
  if (auto endpoint = parse_endpoint(text)) {
    value = std::move(*endpoint);
  } else {
    reader.problem(key, endpoint.error().message + "; " + endpoint.error().hint);
  }
}

void read_path(TableReader& reader, std::string_view key, std::filesystem::path& value) {
  std::string text;
  reader.text(key, text);
  if (!text.empty()) value = text;
}

void read_tls(TableReader& reader, TlsConfig& tls) {
  read_path(reader, "certificate", tls.certificate);
  read_path(reader, "key", tls.key);
  if (tls.certificate.empty() != tls.key.empty()) {
    reader.problem(tls.key.empty() ? "certificate" : "key",
                   "certificate and key (PEM files) go together");
  }
}

}  // namespace understudy::live
