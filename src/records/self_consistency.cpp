#include "records/self_consistency.hpp"

#include <format>

namespace understudy {

Status check(const SelfConsistency& manner) {
  if (manner.samples >= 1 && manner.samples <= SelfConsistency::samples_max &&
      manner.temperature > 0 && manner.temperature <= SelfConsistency::temperature_max)
    return {};
  return fail(ErrorCode::invalid_input,
              std::format("a vote of {} samples at temperature {} is out of bounds", manner.samples,
                          manner.temperature),
              std::format("samples lie in 1..{}, the temperature in (0, {}]",
                          SelfConsistency::samples_max, SelfConsistency::temperature_max));
}

json::value to_json(const SelfConsistency& manner) {
  return json::object{{"samples", manner.samples}, {"temperature", manner.temperature}};
}

Result<SelfConsistency> self_consistency_of(const json::value& record) {
  SelfConsistency manner;
  const json::value* stored = json::find(record, "self_consistency");
  if (stored == nullptr) return manner;
  manner.samples = json::find_integer(*stored, "samples").value_or(0);
  manner.temperature = json::find_number(*stored, "temperature").value_or(0);
  if (!check(manner)) return fail(ErrorCode::corrupt, "a self_consistency that is out of bounds");
  return manner;
}

}  // namespace understudy
