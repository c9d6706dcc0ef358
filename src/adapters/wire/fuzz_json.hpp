// For fuzz targets only: turns bytes into JSON made of the words of the APIs, so that the fuzzer
// spends its time behind the parser instead of on braces.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace understudy::wire {

// A property that must hold; says which one did not.
inline void require(bool condition, std::source_location where = std::source_location::current()) {
  if (condition) return;
  std::fprintf(stderr, "does not hold: line %u\n", static_cast<unsigned>(where.line()));
  std::abort();
}

class FuzzJson {
 public:
  FuzzJson(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  [[nodiscard]] bool empty() const { return at_ == end_; }
  std::uint8_t byte() { return at_ == end_ ? std::uint8_t{0} : *at_++; }

  json::value value(int depth = 0) {
    switch (byte() % (depth < 6 ? 9 : 6)) {
      case 0: return json::value(word());
      case 1: return byte() % 4;
      case 2: return byte() % 2 == 0;
      case 3: return nullptr;
      case 4: return json::value(std::string(1, static_cast<char>(byte() % 128)));
      case 5: return byte() / 100.0;
      case 6: {
        json::array list;
        for (int left = byte() % 4; left > 0; --left) list.push_back(value(depth + 1));
        return list;
      }
      default: return object(depth);
    }
  }

  json::object object(int depth = 0) {
    json::object tree;
    for (int left = byte() % 6; left > 0; --left) {
      const std::string_view key = word();
      tree[key] = value(depth + 1);
    }
    return tree;
  }

  std::string_view word() { return words[byte() % words.size()]; }

 private:
  static constexpr std::array<std::string_view, 118> words = {
      "model",
      "messages",
      "role",
      "user",
      "assistant",
      "system",
      "developer",
      "tool",
      "content",
      "type",
      "text",
      "image_url",
      "url",
      "data:image/png;base64,AA",
      "https://x",
      "tool_calls",
      "tool_call_id",
      "id",
      "function",
      "name",
      "arguments",
      "{}",
      "{\"a\":1}",
      "{\"a\":",
      "tools",
      "parameters",
      "tool_choice",
      "auto",
      "none",
      "required",
      "any",
      "parallel_tool_calls",
      "response_format",
      "json_schema",
      "json_object",
      "schema",
      "object",
      "stop",
      "stop_sequences",
      "temperature",
      "max_tokens",
      "stream",
      "stream_options",
      "include_usage",
      "usage",
      "prompt_tokens",
      "completion_tokens",
      "input_tokens",
      "output_tokens",
      "cache_read_input_tokens",
      "prompt_tokens_details",
      "cached_tokens",
      "choices",
      "index",
      "delta",
      "message",
      "finish_reason",
      "tool_use",
      "tool_result",
      "tool_use_id",
      "input",
      "is_error",
      "thinking",
      "signature",
      "redacted_thinking",
      "thinking_blocks",
      "reasoning_content",
      "refusal",
      "source",
      "base64",
      "media_type",
      "data",
      "document",
      "file",
      "file_data",
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
      "ping",
      "error",
      "content_block",
      "text_delta",
      "input_json_delta",
      "partial_json",
      "thinking_delta",
      "signature_delta",
      "stop_reason",
      "end_turn",
      "json_answer",
      "response.created",
      "response.completed",
      "response.failed",
      "response.output_item.added",
      "response.output_item.done",
      "response.output_text.delta",
      "response.function_call_arguments.delta",
      "response",
      "item",
      "output_index",
      "content_index",
      "sequence_number",
      "status",
      "output",
      "function_call",
      "function_call_output",
      "call_id",
      "instructions",
      "metadata",
      "user_id",
      "prompt",
      "code",
      "logprobs",
      "n",
      "created",
      "input_schema"};

  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

// A stream of such objects; the event's name is the object's "type". Some bytes are left as they
// come, so that broken lines and broken JSON are seen too.
inline std::string fuzz_stream(FuzzJson& bytes) {
  std::string stream;
  while (!bytes.empty()) {
    const std::uint8_t kind = bytes.byte();
    if (kind % 16 == 0) {
      stream += static_cast<char>(bytes.byte());
    } else if (kind % 16 == 1) {
      stream += "data: [DONE]\n\n";
    } else {
      json::object event = bytes.object();
      if (kind % 2 == 0) event["type"] = bytes.word();
      if (const json::value* type = event.if_contains("type"); type != nullptr && type->is_string())
        stream += "event: " + std::string(type->get_string()) + "\n";
      stream += "data: " + json::to_text(event) + (kind % 16 == 2 ? "\r\n\r\n" : "\n\n");
    }
  }
  return stream;
}

}  // namespace understudy::wire
