// Base URLs of upstreams and of proxies, and which proxy the environment wants for an upstream.
// Pure functions. Internal to adapters/net.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy::net {

struct Url {
  bool secure = false;
  std::string host;  // without the brackets of an IPv6 address
  std::string port;
  std::string prefix;       // of the path, without "/" and "/v1" at its end
  std::string credentials;  // "user:password", of a proxy

  // For the Host header: an IPv6 address in brackets, no default port.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string authority_with_port() const;
};

// "http[s]://host[:port][/prefix]"
Result<Url> parse_upstream_url(std::string_view text);
// "[http://][user:password@]host[:port]"
Result<Url> parse_proxy_url(std::string_view text);

// The value of a variable; null where it is not set.
using Environment = std::function<const char*(const char* name)>;

// http_proxy and https_proxy (the latter in capitals too: HTTP_PROXY could come from a CGI
// request's header), unless no_proxy names the host. Loopback addresses never go through a proxy: a
// model on this machine is not the proxy's.
Result<std::optional<Url>> proxy_for(const Url& upstream, const Environment& environment);

// "example.com,.internal,10.0.0.0/8,[::1]:8080,*"
bool no_proxy_names(std::string_view list, const Url& upstream);

std::string base64(std::string_view bytes);

}  // namespace understudy::net
