// What relaying and capture need of a request's body, found in one pass without a tree: the model
// and where it stands, whether the answer is a stream, and the byte ranges of the conversation.
// About 1 us for a body of 2 KB. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/api.hpp"
#include "base/result.hpp"
#include "records/call.hpp"

namespace understudy::wire {

enum class ItemKind : std::uint8_t {
  system,       // system and developer messages
  user,         // what a person or a program says
  assistant,    // an earlier answer; its tool calls are part of it, or (Responses API) tool_call
  tool_call,    // Responses API: function_call and the calls of other tools
  tool_result,  // what a tool answered; in the messages API a user message that begins with one
  other,        // reasoning items, references, ...
};

// One message, or one item of a Responses API input.
struct RequestItem {
  TextRange range;
  ItemKind kind = ItemKind::other;
};

// A change of the body: `text` in the place of the bytes [begin, begin + bytes).
struct Splice {
  std::size_t begin = 0;
  std::size_t bytes = 0;
  std::string_view text;
};

struct RequestScan {
  std::string model;
  TextRange model_value;  // with its quotes; no bytes where the request names no model
  bool stream = false;
  bool include_usage = false;           // stream_options.include_usage
  std::optional<Splice> ask_for_usage;  // the change that makes it true; nothing where it is, or
                                        // where the API has no such option
  std::string user;                     // user, safety_identifier; messages: metadata.user_id
  std::string previous_response;        // Responses API: previous_response_id
  std::string conversation;             // Responses API: the id of its conversation
  std::vector<RequestItem> items;       // in order; a prompt or an input that is no list is one
  TextRange system;                     // messages: system; Responses API: instructions
  TextRange tools;                      // the list of tools (or functions)
  // Call::repeated: items, tools and system of at least limits::repeated_part_bytes_min bytes, in
  // the order of the body.
  std::vector<TextRange> repeated;
};

// The bytes of a body that a scan of it found.
inline std::string_view slice(std::string_view body, const TextRange& range) {
  return body.substr(range.begin, range.bytes);
}

// invalid_input, with a message that names the defect and the place, when the body is no JSON
// object or lacks what the API requires (messages, input, prompt), or when a key that decides the
// routing appears twice: peers disagree on which one counts. What nobody here needs is not checked
// beyond its brackets. The second form does not copy the body; it reserves up to
// JsonText::padding_bytes behind it.
Result<RequestScan> scan_request(Api api, std::string_view body);
Result<RequestScan> scan_request(Api api, std::string& body);

// The body with changes (ascending, without overlap) as the parts that a writev takes. The parts
// look into `body` and into the changes' texts.
std::vector<std::string_view> spliced(std::string_view body, std::span<const Splice> changes);

}  // namespace understudy::wire
