// What is decoded as a whole can be encoded again to the same text; broken UTF-8 is repaired once.
#include "steps/s2_curate/detect/encodings.hpp"

#include <cstdint>

#include "base/check.hpp"
#include "base/hex.hpp"
#include "steps/s2_curate/detect/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::s2;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto encoded = decode_whole(text); encoded && encoded->kind != Encoded::Kind::percent) {
    const std::string again = encode_again(*encoded, encoded->text);
    CHECK(decode_base64(again) == encoded->text, "round trip");
  }
  CHECK(understudy::decode_percent(encode_percent(text)) == text || text.contains('%'),
        "round trip");
  if (const auto repaired = repair_utf8(text)) CHECK(!repair_utf8(*repaired), "repaired is sound");
  return 0;
}
