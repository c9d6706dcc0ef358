// Whatever the bytes, the detector gives ordered entities inside the text that do not overlap.
#include "steps/s2_curate/detect/detector.hpp"

#include <cstdint>

#include "base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::s2;
  static const Detector detector = *Detector::create();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* key : {"content", "phone", "card_number", "password"}) {
    std::size_t end = 0;
    for (const Entity& entity : detector.detect({.text = text, .key = key})) {
      CHECK(entity.begin >= end && entity.begin < entity.end, "in order, not empty");
      CHECK(entity.end <= text.size() && !entity.value.empty(), "inside the text");
      end = entity.end;
    }
  }
  return 0;
}
