#include "console/web/request_target.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/hex.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t target_bytes_max = 4096;
constexpr std::size_t segments_max = 16;
constexpr std::size_t parameters_max = 32;

std::unexpected<Error> bad(std::string_view what) {
  return fail(ErrorCode::invalid_input, "the address is malformed: " + std::string(what));
}

enum class Plus { is_plus, is_space };  // in a path, in a query

Result<std::string> decode(std::string_view text, Plus plus) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char byte = text[i];
    if (byte == '%') {
      const auto code = leading_percent_code(text.substr(i));
      if (!code) return bad("a % without two digits");
      byte = *code;
      i += 2;
    } else if (byte == '+' && plus == Plus::is_space) {
      byte = ' ';
    }
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) return bad("a control character");
    out += byte;
  }
  return out;
}

Status check_segment(const std::string& segment) {
  if (segment.empty() || segment == "." || segment == "..") return bad("a dot or empty segment");
  if (segment.find_first_of("/\\") != std::string::npos) return bad("a hidden slash");
  return {};
}

}  // namespace

std::string RequestTarget::query_or(const std::string& name, std::string otherwise) const {
  const auto found = query.find(name);
  return found == query.end() ? std::move(otherwise) : found->second;
}

Result<std::size_t> RequestTarget::count_or(const std::string& name, std::size_t otherwise,
                                            std::size_t most) const {
  const auto found = query.find(name);
  if (found == query.end()) return otherwise;
  const std::string& text = found->second;
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count > most)
    return fail(ErrorCode::invalid_input, name + " wants a number up to " + std::to_string(most));
  return count;
}

Result<RequestTarget> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return bad("it does not begin with a slash");
  if (target.size() > target_bytes_max) return bad("it is too long");
  RequestTarget parsed;
  const std::size_t question = target.find('?');
  std::string_view path = target.substr(1, question == target.npos ? target.npos : question - 1);
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    std::string segment = TRY(decode(path.substr(0, slash), Plus::is_plus));
    TRY(check_segment(segment));
    if (parsed.path.size() == segments_max) return bad("too many segments");
    parsed.path.push_back(std::move(segment));
    if (slash == path.npos) break;
    path.remove_prefix(slash + 1);
    if (path.empty()) return bad("a dot or empty segment");
  }
  std::string_view query = question == target.npos ? "" : target.substr(question + 1);
  for (std::size_t count = 0; !query.empty(); ++count) {
    if (count == parameters_max) return bad("too many parameters");
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const std::size_t equals = one.find('=');
    std::string name = TRY(decode(one.substr(0, equals), Plus::is_space));
    parsed.query[std::move(name)] =
        equals == one.npos ? "" : TRY(decode(one.substr(equals + 1), Plus::is_space));
  }
  return parsed;
}

}  // namespace understudy::console
