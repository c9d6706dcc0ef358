// Whatever the bytes, what is found lies inside the text, and the same with and without memory.
#include "steps/s2_curate/detect/text_scanner.hpp"

#include <cstdint>

#include "base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::s2;
  static const Detector detector = *Detector::create();
  static const Detector eager = *Detector::create({.score_min = 0});
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TextScanner scanner(detector);
  TextScanner forgetful(detector, 0);
  const auto found = scanner.scan(text);
  for (const Entity& entity : found)
    CHECK(entity.begin <= entity.end && entity.end <= text.size(), "inside the text");
  CHECK(forgetful.scan(text).size() == found.size(), "memory changes nothing");
  CHECK(scanner.scan(text).size() == found.size(), "nor does a repetition");
  for (const Entity& entity : eager.detect({.text = text, .key = "value"}))
    CHECK(entity.begin < entity.end && entity.end <= text.size(), "inside the text");
  return 0;
}
