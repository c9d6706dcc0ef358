// Any text as a line of an import: a call that survives a round trip through the log's JSON, or an
// error.
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "steps/s1_capture/call_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  static const s1::Pseudonyms pseudonyms(SecretText(std::string(32, 'k')));
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto call = s1::read_call_line(line, "fuzz.jsonl", pseudonyms);
  if (!call) {
    CHECK(!call.error().message.empty(), "every error says what is wrong");
    return 0;
  }
  const auto tree = json::parse(json::to_text(to_json(*call)));
  CHECK(tree.has_value(), "what is stored can be parsed");
  const auto back = call_from_json(*tree);
  CHECK(back.has_value() && back->id == call->id, "what is stored can be read");
  return 0;
}
