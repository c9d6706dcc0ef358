// This machine as S4 counts with it: what it has, and how fast it computes. The speed is measured
// once (half a second) and kept in home/machine.json until the processor changes or somebody asks
// for a new measurement.
#pragma once

#include "adapters/lm/compute_speed.hpp"
#include "adapters/machine/machine.hpp"
#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::s4 {

struct MachineProfile {
  machine::Machine machine;
  lm::ComputeSpeed speed;  // zeros: not measured
};

enum class Measure { never, if_unknown, anew };
// An unmeasurable machine is no error: its speed stays zero.
Result<MachineProfile> profile_machine(const store::Home& home, Measure measure);

json::value to_json(const MachineProfile& profile);

}  // namespace understudy::s4
