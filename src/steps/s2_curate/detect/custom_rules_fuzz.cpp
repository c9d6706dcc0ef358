// A configuration file of any bytes gives rules or an error, and rules that compile can be applied.
#include "steps/s2_curate/detect/custom_rules.hpp"

#include <cstdint>

#include "base/check.hpp"
#include "steps/s2_curate/detect/form_pattern.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::s2;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rules = parse_custom_rules(text);
  if (!rules) CHECK(!rules.error().message.empty(), "an error says what it is");
  if (size < 64) {
    const auto form = FormPattern::parse(text);
    if (form) form->match("A1-2345 b", 0, [](std::size_t end) { return end > 9; });
  }
  return 0;
}
