// Any JSON as a request or a response: read or refused, never a crash; what we write we can read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapters/wire/chat.hpp"
#include "adapters/wire/chat_stream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  const Result<json::value> tree =
      json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!tree) return 0;
  static_cast<void>(wire::parse_chat_request(*tree));
  static_cast<void>(wire::error_label(*tree));
  const Result<Answer> answer = wire::parse_answer(*tree);
  if (!answer) return 0;
  wire::ChatStream stream;
  if (!stream.feed(
          wire::to_chat_stream(*answer, {.id = "x", .model = "m", .created_s = 0, .usage = {}})))
    return 0;
  const Result<Answer> again = wire::parse_answer(stream.completion());
  if (!again || again->text != answer->text ||
      again->tool_calls.size() != answer->tool_calls.size()) {
    std::abort();
  }
  return 0;
}
