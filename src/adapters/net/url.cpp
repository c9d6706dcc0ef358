#include "adapters/net/url.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>
#include <cstdint>
#include <vector>

#include "adapters/net/http.hpp"
#include "base/hex.hpp"

namespace understudy::net {

namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0 && port <= 65535;
}

bool is_host(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '/' && c != '@' && c != '[' && c != ']' && c != '?' &&
           c != '#' && c != '\\';
  });
}

// "host", "host:port", "[::1]", "[::1]:port"; the port stays as it is where none is given.
bool split_authority(std::string_view authority, std::string& host, std::string& port) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
    if (authority.empty()) return is_host(host);
    if (!authority.starts_with(':')) return false;
    port = authority.substr(1);
    return is_host(host) && is_port(port);
  }
  const std::size_t colon = authority.find(':');
  host = authority.substr(0, colon);
  if (colon == std::string_view::npos) return is_host(host);
  port = authority.substr(colon + 1);
  return is_host(host) && is_port(port);
}

bool is_loopback(const std::string& host) {
  if (same_name(host, "localhost")) return true;
  error_code error;
  const auto address = ip::make_address(host, error);
  return !error && address.is_loopback();
}

bool in_network(const ip::address& address, const std::string& network_text) {
  error_code error;
  if (address.is_v4()) {
    const auto network = ip::make_network_v4(network_text, error);
    return !error && ip::network_v4(address.to_v4(), network.prefix_length()).canonical() ==
                         network.canonical();
  }
  const auto network = ip::make_network_v6(network_text, error);
  return !error && ip::network_v6(address.to_v6(), network.prefix_length()).canonical() ==
                       network.canonical();
}

bool entry_names(std::string_view entry, const Url& upstream) {
  if (entry == "*") return true;
  error_code error;
  const auto address = ip::make_address(upstream.host, error);
  if (!error && entry.contains('/')) return in_network(address, std::string(entry));
  error_code entry_error;
  const auto entry_address = ip::make_address(std::string(entry), entry_error);
  if (!error && !entry_error) return address == entry_address;
  std::string host;
  std::string port;
  if (!split_authority(entry, host, port)) return false;
  if (!port.empty() && port != upstream.port) return false;
  if (host.starts_with("*.")) host.erase(0, 1);
  if (same_name(host, upstream.host)) return true;
  const std::string suffix = host.starts_with('.') ? host : "." + host;
  return upstream.host.size() > suffix.size() &&
         same_name(std::string_view(upstream.host).substr(upstream.host.size() - suffix.size()),
                   suffix);
}

const char* first_set(const Environment& environment, const char* name, const char* other) {
  const char* value = environment(name);
  if (value != nullptr && *value != '\0') return value;
  return other == nullptr ? nullptr : environment(other);
}

}  // namespace

std::string Url::authority_with_port() const {
  return (host.contains(':') ? "[" + host + "]" : host) + ":" + port;
}

std::string Url::authority() const {
  if (port != (secure ? "443" : "80")) return authority_with_port();
  return host.contains(':') ? "[" + host + "]" : host;
}

Result<Url> parse_upstream_url(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::invalid_input, "not an upstream URL: " + std::string(text),
                "for example https://api.example.com/v1");
  };
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.secure = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad();
  }
  const std::size_t slash = rest.find('/');
  std::string_view path = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with("/v1")) path.remove_suffix(3);  // the clients' paths begin with /v1 themselves
  if (!path.empty() && std::ranges::any_of(path, [](unsigned char c) { return c <= ' '; }))
    return bad();
  url.prefix = path;
  url.port = url.secure ? "443" : "80";
  if (!split_authority(rest.substr(0, slash), url.host, url.port)) return bad();
  return url;
}

Result<Url> parse_proxy_url(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                "cannot use the proxy of the environment: " + std::string(why),
                "set http_proxy or https_proxy to http://host:port, or unset them");
  };
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.contains("://")) {
    return bad("only proxies that are spoken to by http:// are supported");
  }
  rest = rest.substr(0, rest.find('/'));
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    url.credentials = decode_percent(rest.substr(0, at));
    rest.remove_prefix(at + 1);
  }
  url.port = "80";
  if (!split_authority(rest, url.host, url.port)) return bad("not a host and a port");
  return url;
}

bool no_proxy_names(std::string_view list, const Url& upstream) {
  while (!list.empty()) {
    const std::size_t comma = list.find_first_of(", ");
    const std::string_view entry = list.substr(0, comma);
    if (!entry.empty() && entry_names(entry, upstream)) return true;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

Result<std::optional<Url>> proxy_for(const Url& upstream, const Environment& environment) {
  if (is_loopback(upstream.host)) return std::nullopt;
  const char* proxy = upstream.secure ? first_set(environment, "https_proxy", "HTTPS_PROXY")
                                      : first_set(environment, "http_proxy", nullptr);
  if (proxy == nullptr || *proxy == '\0') proxy = first_set(environment, "all_proxy", "ALL_PROXY");
  if (proxy == nullptr || *proxy == '\0') return std::nullopt;
  const char* exempt = first_set(environment, "no_proxy", "NO_PROXY");
  if (exempt != nullptr && no_proxy_names(exempt, upstream)) return std::nullopt;
  return TRY(parse_proxy_url(proxy));
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  std::vector<unsigned char> encoded(text.size() + 1);  // OpenSSL ends it with a zero
  EVP_EncodeBlock(encoded.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  std::copy_n(encoded.begin(), text.size(), text.begin());
  return text;
}

}  // namespace understudy::net
