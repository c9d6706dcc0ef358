// Input: a text, a zero byte, an answer. Every span lies in the text.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "adapters/lm/entity_endpoint.hpp"
#include "base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view text = all.substr(0, all.find('\0'));
  const std::string_view body = all.substr(std::min(all.size(), text.size() + 1));
  if (const auto spans = understudy::lm::parse_named_spans(body, text)) {
    for (const auto& span : *spans)
      CHECK(span.begin < span.end && span.end <= text.size(), "a span lies in its text");
  }
  return 0;
}
