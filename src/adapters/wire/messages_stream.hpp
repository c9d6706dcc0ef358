// The stream of Anthropic's messages API: message_start, content blocks with their deltas,
// message_delta, message_stop. Put together into the message that it stands for; thinking blocks
// and their signatures stay verbatim.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/json_parts.hpp"
#include "adapters/wire/stream_reader.hpp"
#include "adapters/wire/usage.hpp"

namespace understudy::wire {

class MessagesStream final : public StreamReader {
 public:
  [[nodiscard]] bool done() const override { return done_; }
  [[nodiscard]] std::string response_text() const override;
  [[nodiscard]] std::string finish_reason() const override;
  // With or without message_stop, as chat streams with or without [DONE].
  [[nodiscard]] bool complete() const override { return done() || !stop_reason_.empty(); }

 private:
  struct Block {
    std::int64_t index = 0;
    std::string start;      // JSON of the block as it began
    RawMembers texts;       // text, thinking, signature: escaped, pieces joined
    std::string input;      // of a tool: pieces of JSON text, escaped as in the events
    std::string citations;  // JSON, without its brackets
  };
  void take_event(const SseEvent& event, JsonCursor& cursor) override;
  // Each with the cursor on the object of that name.
  void take_start(JsonCursor& message);
  void take_block(std::int64_t index, JsonCursor& start);
  void take_delta(std::int64_t index, JsonCursor& delta);
  void take_message_delta(JsonCursor& delta);
  void take_usage(JsonCursor& cursor);
  [[nodiscard]] static std::string written(const Block& block);

  std::string message_;  // JSON, as it began
  RawMembers members_;   // stop_reason, stop_sequence, ...: what message_delta sets
  RawMembers usage_members_;
  UsageCounts counts_;
  std::string stop_reason_;
  std::vector<Block> blocks_;
};

}  // namespace understudy::wire
