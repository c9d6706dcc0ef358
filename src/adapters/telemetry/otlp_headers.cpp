#include <algorithm>

#include "adapters/telemetry/spans.hpp"
#include "base/hex.hpp"

namespace understudy::telemetry {

namespace {

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_token(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return c > 0x20 && c < 0x7f && !std::string_view("\"(),/:;<=>?@[\\]{}").contains(char(c));
  });
}

bool is_printable(std::string_view value) {
  return std::ranges::none_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> parse_otlp_headers(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> headers;
  while (!trim(text).empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    const std::string_view name = trim(item.substr(0, equals));
    std::string value =
        equals == std::string_view::npos ? "" : decode_percent(trim(item.substr(equals + 1)));
    // The text may hold a token: it is not repeated.
    if (equals == std::string_view::npos || !is_token(name) || !is_printable(value)) {
      return fail(ErrorCode::invalid_input, "the collector's headers are no list of name=value",
                  "write name=value,name=value");
    }
    headers.emplace_back(name, std::move(value));
  }
  return headers;
}

}  // namespace understudy::telemetry
