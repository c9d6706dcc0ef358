#include "console/web/guard.hpp"

#include <algorithm>
#include <array>

namespace understudy::console {

namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

constexpr std::array<std::string_view, 3> loopback_names = {"127.0.0.1", "localhost", "[::1]"};

}  // namespace

void add_guard_headers(net::Headers& headers) {
  headers.add("Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
              "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  headers.add("X-Frame-Options", "DENY");
  headers.add("X-Content-Type-Options", "nosniff");
  headers.add("Referrer-Policy", "no-referrer");
  headers.add("Cross-Origin-Opener-Policy", "same-origin");
  headers.add("Cross-Origin-Resource-Policy", "same-origin");
  headers.add("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
}

std::optional<Reply> refuse_host(const net::HttpRequest& request,
                                 std::span<const std::string> names) {
  const std::string_view host = without_port(request.headers.find("host").value_or(""));
  const auto is_host = [host](std::string_view name) { return net::same_name(host, name); };
  if (std::ranges::any_of(loopback_names, is_host) || std::ranges::any_of(names, is_host))
    return std::nullopt;
  return refusal(421, {.code = ErrorCode::denied,
                       .message = "this console does not answer to that host's name",
                       .hint = "start it with --host-name NAME if it should"});
}

std::optional<Reply> refuse_origin(const net::HttpRequest& request, std::string_view scheme) {
  const std::string_view host = request.headers.find("host").value_or("");
  const auto origin = request.headers.find("origin");
  const auto site = request.headers.find("sec-fetch-site");
  const bool foreign = (origin && *origin != std::string(scheme) + "://" + std::string(host)) ||
                       (site && *site != "same-origin" && *site != "none");
  if (foreign) {
    return refusal(
        403, {.code = ErrorCode::denied, .message = "this came from another site", .hint = {}});
  }
  const std::string_view type = request.headers.find("content-type").value_or("");
  if (request.method == "POST" && !net::has_prefix(type, "application/json")) {
    return refusal(415, {.code = ErrorCode::invalid_input,
                         .message = "the body must be application/json",
                         .hint = {}});
  }
  return std::nullopt;
}

}  // namespace understudy::console
