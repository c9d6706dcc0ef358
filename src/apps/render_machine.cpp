#include <format>

#include "apps/render.hpp"

namespace understudy::apps {

namespace {

// A thousand million of what the figure counts: bytes, or operations in a second.
double billions(const json::value& machine, std::string_view name) {
  constexpr double giga = 1e9;
  return json::find_number(machine, name).value_or(0) / giga;
}

}  // namespace

std::string render_machine(const json::value& result) {
  std::string out =
      std::format("{}, {} cores, {:.1f} GB of memory ({:.1f} free)",
                  json::string_or(result, "processor", "processor"),
                  json::find_integer(result, "cores").value_or(1), billions(result, "memory_bytes"),
                  billions(result, "memory_available_bytes"));
  if (json::find_number(result, "multiply_flops")) {
    out += std::format(" read at {:.1f} GB/s, multiplies at {:.0f} GFLOP/s",
                       billions(result, "memory_bytes_per_s"), billions(result, "multiply_flops"));
  }
  const json::array* gpus = json::find_array(result, "gpus");
  if (gpus == nullptr || gpus->empty()) return out + ", no GPU";
  for (const json::value& gpu : *gpus) out += ", " + std::string(gpu.as_string());
  return out;
}

}  // namespace understudy::apps
