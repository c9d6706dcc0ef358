// The stream of a chat completion (or of a legacy completion: text instead of a message), put
// together into the chat.completion that it stands for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/json_parts.hpp"
#include "adapters/wire/stream_reader.hpp"
#include "base/json.hpp"

namespace understudy::wire {

class ChatStream final : public StreamReader {
 public:
  explicit ChatStream(Api api = Api::chat_completions) : api_(api) {}

  [[nodiscard]] bool done() const override { return ends_with_done_; }  // [DONE] was seen
  [[nodiscard]] bool finished() const;  // every choice has its finish_reason
  [[nodiscard]] bool complete() const override { return done() || finished(); }
  [[nodiscard]] std::string response_text() const override;
  [[nodiscard]] std::string finish_reason() const override;  // of the first choice

  // response_text() as a tree; no choices when nothing was received.
  [[nodiscard]] json::value completion() const;

 private:
  // All strings are escaped as they came.
  struct Tool {
    std::int64_t index = 0;
    std::string id;
    std::string type;  // "function", "custom"
    std::string name;
    std::string arguments;
  };
  struct Choice {
    std::int64_t index = 0;
    std::string content;  // or the text of a legacy completion
    bool has_content = false;
    RawMembers texts;   // refusal, reasoning_content, ... : strings that come in pieces
    RawMembers lists;   // annotations, reasoning_details: without their brackets
    RawMembers values;  // other members of the deltas: the last value counts
    RawMembers logprobs;
    std::vector<Tool> tools;
    std::vector<Tool> function_call;  // the deprecated single call; none or one
    std::string finish_reason;
  };

  void take_event(const SseEvent& event, JsonCursor& cursor) override;
  void take_choice(JsonCursor& cursor);
  void take_choice_member(Choice& choice, std::string_view key, JsonCursor& cursor);
  void take_delta(Choice& choice, JsonCursor& cursor);
  void take_other(Choice& choice, std::string_view key, JsonCursor& cursor);
  void take_list(RawMembers& lists, std::string_view key, JsonCursor& cursor);
  void take_logprobs(Choice& choice, JsonCursor& cursor);
  void take_tool(Choice& choice, JsonCursor& cursor);
  void take_function(Tool& tool, JsonCursor& cursor);
  void take_text(std::string& into, std::string_view piece);
  Choice* choice_at(std::int64_t index);
  void write_choice(const Choice& choice, JsonWriter& writer) const;
  void write_message(const Choice& choice, JsonWriter& writer) const;

  Api api_;
  std::string created_;  // JSON text
  std::string usage_text_;
  RawMembers members_;  // system_fingerprint, service_tier, ...: the last value counts
  std::vector<Choice> choices_;
};

}  // namespace understudy::wire
