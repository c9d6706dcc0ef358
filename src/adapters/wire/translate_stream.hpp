// The two directions of StreamTranslator; see translate.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/sse.hpp"
#include "adapters/wire/translate.hpp"
#include "base/json.hpp"

namespace understudy::wire {

// What both directions share: events in, bytes out; after the first defect nothing more.
class EventTranslator : public StreamTranslator {
 public:
  Result<std::string> feed(std::string_view bytes) final;

 protected:
  // An event that is a JSON object, and its name; adds to out_.
  virtual Status take_event(std::string_view name, const json::value& event) = 0;
  virtual void take_done() {}  // "[DONE]"

  std::string out_;
  bool ended_ = false;  // the client's stream has its end, or its error

 private:
  SseParser parser_;
};

// An Anthropic upstream for a chat client.
class MessagesToChatStream final : public EventTranslator {
 public:
  explicit MessagesToChatStream(AnswerContext context) : context_(context) {}
  std::string finish() override;

 private:
  enum class BlockKind { text, tool, json_answer, thinking, other };
  struct Block {
    BlockKind kind = BlockKind::other;
    std::int64_t tool_index = 0;
    bool has_input = false;   // a piece of its arguments was sent
    json::value start_input;  // where no piece comes
    json::object thinking;    // the block as it grows
  };

  Status take_event(std::string_view name, const json::value& event) override;
  void start(const json::value& message);
  void start_block(const json::value& event);
  void take_delta(const json::value& event);
  void stop_block(const json::value& event);
  void end();
  void send_delta(json::object delta, json::value finish_reason = nullptr);
  void send_chunk(json::array choices, json::value usage);
  void send_arguments(const Block& block, std::string_view piece);
  Block* block_at(const json::value& event);

  AnswerContext context_;
  std::string id_;
  std::string model_;
  json::object usage_;  // Anthropic's; later values replace earlier ones
  std::string stop_reason_;
  std::vector<std::pair<std::int64_t, Block>> blocks_;
  std::int64_t tools_ = 0;
  bool has_json_ = false;
};

// A chat upstream for an Anthropic client. Anthropic's blocks come one after the other: a block
// that the upstream begins while another one is open waits until that one is whole.
class ChatToMessagesStream final : public EventTranslator {
 public:
  explicit ChatToMessagesStream(AnswerContext context) : context_(context) {}
  std::string finish() override;

 private:
  enum class BlockKind { text, tool };
  struct Block {
    BlockKind kind = BlockKind::text;
    std::int64_t tool_index = 0;  // the upstream's
    std::string id;
    std::string name;
    std::string all;     // a tool's arguments so far: are they whole?
    std::string unsent;  // of a block whose turn has not come
  };

  Status take_event(std::string_view name, const json::value& event) override;
  void take_done() override;
  void start(const json::value& chunk);
  void take_choice(const json::value& choice);
  void take_text(std::string_view text);
  void take_tool(const json::value& call);
  void send_thinking(const json::value& block);
  void open_block();
  void close_block();
  void advance();
  void send_piece(std::string_view piece);
  [[nodiscard]] static bool is_whole(const Block& block);
  void send(std::string_view type, json::object members);
  void end();

  AnswerContext context_;
  std::string id_;
  bool started_ = false;
  std::vector<Block> blocks_;
  std::size_t live_ = 0;             // the block whose turn it is
  std::size_t opened_ = 0;           // blocks that were opened: live_, or one more while it is open
  std::size_t thinking_blocks_ = 0;  // sent in front of the others
  std::string finish_reason_;
  std::string stop_sequence_;
  bool has_refusal_ = false;
  json::value usage_;
};

}  // namespace understudy::wire
