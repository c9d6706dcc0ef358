// Values that are personal in the call that says so and nowhere else: single names that are words
// of the language ("Daisy"), secrets as short as words. The known values of the whole scope leave
// them out; within the call they are replaced wherever they are repeated. One thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "steps/s2_curate/detect/text_scanner.hpp"
#include "steps/s2_curate/surrogate/pseudonymiser.hpp"

namespace understudy::s2 {

class CallValues {
 public:
  CallValues() = default;
  // `found`: the entities of all of the call's bodies.
  CallValues(const std::vector<Entity>& found, const KnownValues& known,
             const Treatment& treatment);

  // As they were written, as whole words.
  void find(std::string_view text, std::vector<Entity>& found) const;
  [[nodiscard]] bool is_in(std::string_view text) const;
  // Equal for equal values; 0 for none.
  [[nodiscard]] std::uint64_t id() const { return id_; }

 private:
  std::vector<Entity> values_;  // without places
  std::uint64_t id_ = 0;
};

}  // namespace understudy::s2
