#include "steps/s4_select/machine_profile.hpp"

#include <optional>
#include <string>

#include "base/files.hpp"

namespace understudy::s4 {

namespace {

std::optional<lm::ComputeSpeed> kept_speed(const std::filesystem::path& path,
                                           const machine::Machine& machine) {
  const auto text = read_file(path);
  if (!text) return std::nullopt;
  const auto tree = json::parse(*text);
  if (!tree || json::string_or(*tree, "processor") != machine.processor ||
      json::find_integer(*tree, "cores") != static_cast<std::int64_t>(machine.cores))
    return std::nullopt;
  return lm::ComputeSpeed{
      .memory_bytes_per_s = json::find_number(*tree, "memory_bytes_per_s").value_or(0),
      .multiply_flops = json::find_number(*tree, "multiply_flops").value_or(0)};
}

}  // namespace

Result<MachineProfile> profile_machine(const store::Home& home, Measure measure) {
  MachineProfile profile{.machine = TRY(machine::read_machine()), .speed = {}};
  const std::filesystem::path path = home.directory() / "machine.json";
  if (measure != Measure::anew) {
    if (const auto kept = kept_speed(path, profile.machine)) {
      profile.speed = *kept;
      return profile;
    }
  }
  if (measure == Measure::never) return profile;
  const auto measured = lm::measure_compute_speed(profile.machine.cores);
  if (!measured) return profile;
  profile.speed = *measured;
  TRY(write_file_atomically(path, json::to_text(to_json(profile)) + "\n"));
  return profile;
}

json::value to_json(const MachineProfile& profile) {
  const machine::Machine& machine = profile.machine;
  json::object out{{"processor", machine.processor},
                   {"cores", machine.cores},
                   {"memory_bytes", machine.memory_bytes},
                   {"memory_available_bytes", machine.memory_available_bytes},
                   {"gpus", json::array(machine.gpus.begin(), machine.gpus.end())}};
  if (profile.speed.multiply_flops > 0) {
    out["memory_bytes_per_s"] = profile.speed.memory_bytes_per_s;
    out["multiply_flops"] = profile.speed.multiply_flops;
  }
  return out;
}

}  // namespace understudy::s4
