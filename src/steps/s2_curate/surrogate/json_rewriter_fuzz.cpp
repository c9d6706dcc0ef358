// A JSON text stays a JSON text of the same shape when personal data in it is replaced, and text
// that is no JSON is refused, never half rewritten.
#include "steps/s2_curate/surrogate/json_rewriter.hpp"

#include <cstdint>

#include "base/check.hpp"
#include "base/json.hpp"
#include "steps/s2_curate/surrogate/pseudonymiser.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  using namespace understudy::s2;
  static const Detector detector = *Detector::create();
  static const SecretText key(std::string(32, 'k'));
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  EntityTable originals;
  const bool walked = collect_entities(detector, body, originals).has_value();
  const auto tree = json::parse(body);
  if (!tree) return 0;
  CHECK(walked, "the walker reads what the parser reads");
  const auto pseudonymiser = Pseudonymiser::create(detector, originals, key);
  if (!pseudonymiser) return 0;  // more values of a short form than surrogates
  const auto rewritten = pseudonymiser->rewrite(body);
  CHECK(rewritten.has_value(), "what was read can be written");
  const auto after = json::parse(rewritten->body);
  CHECK(after.has_value(), "still JSON");
  CHECK(after->kind() == tree->kind() || tree->is_int64() || tree->is_uint64(), "of one shape");
  if (originals.empty()) CHECK(rewritten->body == body, "unchanged where nothing was found");
  return 0;
}
