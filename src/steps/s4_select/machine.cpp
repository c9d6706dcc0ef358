#include "steps/s4_select/machine.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <thread>

namespace understudy::s4 {

namespace {

constexpr std::int64_t bytes_per_kib = 1024;
constexpr std::int64_t kib_max = std::numeric_limits<std::int64_t>::max() / bytes_per_kib;

std::optional<std::int64_t> field_bytes(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(at + name.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  std::int64_t kib = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), kib);
  if (error != std::errc() || kib < 0 || kib > kib_max) return std::nullopt;
  return kib * bytes_per_kib;
}

}  // namespace

Result<Machine> parse_meminfo(std::string_view text) {
  const auto total = field_bytes(text, "MemTotal:");
  const auto available = field_bytes(text, "MemAvailable:");
  if (!total || !available)
    return fail(ErrorCode::unavailable, "this system does not say how much memory it has");
  return Machine{.memory_bytes = *total,
                 .memory_available_bytes = *available,
                 .cores = std::max(1U, std::thread::hardware_concurrency())};
}

Result<Machine> probe_machine() {
  // Not base/files: /proc files have no size.
  std::ifstream file("/proc/meminfo");
  return parse_meminfo(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace understudy::s4
