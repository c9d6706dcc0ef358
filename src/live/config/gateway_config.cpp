#include "live/config/gateway_config.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/files.hpp"

namespace understudy::live {

std::string_view to_string(Protocol protocol) {
  return protocol == Protocol::openai ? "openai" : "anthropic";
}

bool Endpoint::loopback() const {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string Endpoint::to_text() const {
  const bool is_ipv6 = host.contains(':');
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorCode::invalid_input, "wants HOST:PORT, not \"" + std::string(text) + "\"",
                "for example 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.contains(':')) {
    return refuse();
  }
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (host.empty() || host.contains(' ') || digits.empty() || error != std::errc{} ||
      end != digits.data() + digits.size())
    return refuse();
  return Endpoint{.host = std::string(host), .port = port};
}

std::optional<std::size_t> GatewayConfig::find_upstream(std::string_view name) const {
  const auto found = std::ranges::find(upstreams, name, &UpstreamConfig::name);
  if (found == upstreams.end()) return std::nullopt;
  return static_cast<std::size_t>(found - upstreams.begin());
}

const ModelConfig* GatewayConfig::find_model(std::string_view model) const {
  const ModelConfig* every_other = nullptr;
  for (const ModelConfig& entry : models) {
    if (entry.name == model) return &entry;
    if (entry.name == "*") every_other = &entry;
  }
  return every_other;
}

std::size_t GatewayConfig::default_target(Protocol client) const {
  const auto same = std::ranges::find(upstreams, client, &UpstreamConfig::protocol);
  return same == upstreams.end() ? 0 : static_cast<std::size_t>(same - upstreams.begin());
}

bool GatewayConfig::keys_required() const {
  if (access.required) return *access.required;
  return !listen.loopback() && std::ranges::any_of(upstreams, &UpstreamConfig::has_own_key);
}

namespace {

Result<SecretText> key_from_file(const std::filesystem::path& file) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) {
    return fail(ErrorCode::not_found, "there is no key file " + file.string(),
                "write the key into it, or correct api_key_file");
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(ErrorCode::denied, "others can read the key file " + file.string(),
                "run: chmod 600 " + file.string());
  }
  std::string key = TRY(read_file(file));
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' '))
    key.pop_back();
  SecretText secret(std::move(key));
  if (secret.empty()) {
    return fail(ErrorCode::invalid_input, "the key file " + file.string() + " is empty",
                "write the key into it, on one line");
  }
  return secret;
}

Result<SecretText> key_from_environment(const std::string& variable) {
  const char* key = std::getenv(variable.c_str());
  if (key == nullptr || *key == '\0') {
    return fail(ErrorCode::invalid_input, "the environment has no " + variable,
                "run: export " + variable + "=...");
  }
  return SecretText(std::string(key));
}

// It goes into a header: what ends a header would smuggle another one in.
bool fits_header(std::string_view key) {
  return std::ranges::none_of(key, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

Result<SecretText> upstream_key(const UpstreamConfig& upstream) {
  if (!upstream.has_own_key()) return SecretText{};
  SecretText key = TRY(upstream.api_key_file.empty() ? key_from_environment(upstream.api_key_env)
                                                     : key_from_file(upstream.api_key_file));
  if (!fits_header(key.reveal())) {
    return fail(ErrorCode::invalid_input,
                "the key of upstream " + upstream.name + " holds a control character",
                "it must be one line of printable text");
  }
  return key;
}

}  // namespace understudy::live
