// A JSON text stays a JSON text of the same shape when personal data in it is replaced, and text
// that is no JSON is refused, never half rewritten.
#include "steps/s2_curate/surrogate/json_rewriter.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include "base/check.hpp"
#include "base/json.hpp"
#include "steps/s2_curate/surrogate/pseudonym_writer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  using namespace understudy::s2;
  static const Detector detector = *Detector::create();
  static const SecretText key(std::string(32, 'k'));
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto tree = json::parse(body);
  if (!tree) {
    (void)rewrite_json(body, [](const JsonLeaf&) { return std::optional<std::string>(); });
    return 0;
  }
  const Treatment treatment;
  TextScanner scanner(detector, 0);
  EntityTable originals;
  collect_entities(scanner, body, treatment, originals);
  const auto pseudonymiser = Pseudonymiser::create(detector, originals, key);
  CHECK(pseudonymiser.has_value(), "every value has a stand-in or a mask");
  PseudonymWriter writer(*pseudonymiser);
  const auto rewritten = writer.rewrite(body, "{}", treatment);
  CHECK(rewritten.has_value(), "what was read can be written");
  const auto after = json::parse(rewritten->request);
  CHECK(after.has_value(), "still JSON");
  CHECK(after->kind() == tree->kind() || tree->is_int64() || tree->is_uint64(), "of one shape");
  const bool names_caller = body.contains("user") || body.contains("safety") || body.contains('\\');
  if (originals.empty() && !names_caller)
    CHECK(rewritten->request == body, "unchanged where nothing was found");
  return 0;
}
