// The OpenAI chat-completions wire format, read into and written from our records. Unknown fields
// are left alone: what is relayed is the original bytes, this is the parser on the side. Pure and
// thread-safe; knows no network.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/errors.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/answer.hpp"
#include "records/call.hpp"

namespace understudy::wire {

// What routing and clustering need of a request.
struct ChatRequest {
  std::string model;
  bool stream = false;
  bool include_usage = false;  // stream_options.include_usage
  std::string system;          // all system/developer messages, joined by newlines
  std::string prompt;          // prompt_text(): everything that the model reads, as one text
  std::vector<std::string> roles;
  std::vector<std::string> tool_names;  // sorted
  std::string tool_choice;              // "auto", "none", "required"; "" where absent or an object
  std::string response_form;            // "text", "json_object", "json_schema:HASH"
  // "" or why a small model must not answer: n > 1, logprobs, images, tool_choice of a certain
  // kind, ...
  std::string beyond_slm;
};

Result<ChatRequest> parse_chat_request(const json::value& request);

// The messages as one text, the view that templates are mined on. Each message is a line
// "<|ROLE|>", then its content, then for each tool call a line "<|call|>NAME ARGUMENTS", then a
// newline. Content parts of type text are joined; other parts appear as "<|image_url|>" and the
// like. Deterministic: equal messages, equal text.
std::string prompt_text(const json::value& request);

// Hash of the sorted tool names (16 hex digits), empty for none.
std::string tools_hash(const std::vector<std::string>& sorted_names);

// choices[0] of a chat.completion; an error when there is no usable message.
Result<Answer> parse_answer(const json::value& response);

// A chat.completion body, and the same as a whole SSE stream (role delta, content or tool deltas,
// finish, usage chunk if asked for, [DONE]).
struct CompletionMeta {
  std::string id;  // "chatcmpl-..."
  std::string model;
  std::int64_t created_s = 0;
  Usage usage;
  bool include_usage = true;
};
json::value to_chat_completion(const Answer& answer, const CompletionMeta& meta);
std::string to_chat_stream(const Answer& answer, const CompletionMeta& meta);

}  // namespace understudy::wire
