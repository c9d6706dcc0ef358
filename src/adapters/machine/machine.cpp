#include "adapters/machine/machine.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <thread>

namespace understudy::machine {

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

// Not base/files: /proc files have no size.
std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// NVIDIA's driver names each card; of others the kernel knows the vendor.
std::vector<std::string> read_gpus() {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc/driver/nvidia/gpus", error), end;
       !error && it != end; it.increment(error)) {
    const std::string text = read_all(it->path() / "information");
    const std::size_t at = text.find("Model:");
    if (at == std::string::npos) continue;
    const std::size_t begin = text.find_first_not_of(" \t", at + 6);
    names.push_back(text.substr(begin, text.find('\n', begin) - begin));
  }
  if (std::filesystem::exists("/sys/class/kfd/kfd/topology/nodes/1", error))
    names.emplace_back("AMD (ROCm)");
  return names;
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

std::string parse_processor(std::string_view cpuinfo) {
  constexpr std::string_view field = "model name";
  const std::size_t at = cpuinfo.find(field);
  if (at == std::string_view::npos) return {};
  std::string_view line = cpuinfo.substr(at, cpuinfo.find('\n', at) - at);
  if (!line.contains(':')) return {};
  line.remove_prefix(line.find(':') + 1);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return std::string(line);
}

Result<Machine> read_machine() {
  Machine machine = TRY(parse_meminfo(read_all("/proc/meminfo")));
  machine.processor = parse_processor(read_all("/proc/cpuinfo"));
  machine.gpus = read_gpus();
  return machine;
}

}  // namespace understudy::machine
