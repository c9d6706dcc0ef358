// Reassembles the chat.completion.chunk events of one stream into the chat.completion that it
// stands for.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/sse.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::wire {

class ChatStream {
 public:
  // Bytes as they pass. An event that is no JSON makes the stream malformed(); reading goes on.
  Status feed(std::string_view bytes);

  [[nodiscard]] std::size_t pending_bytes() const { return parser_.pending_bytes(); }
  [[nodiscard]] bool done() const { return done_; }  // [DONE] was seen
  [[nodiscard]] bool malformed() const { return malformed_; }
  [[nodiscard]] bool finished() const;  // every choice has its finish_reason
  [[nodiscard]] const std::string& error() const {
    return error_;
  }  // "type/code" of an error event

  // What was received so far, as one chat.completion; no choices when nothing was.
  [[nodiscard]] json::value completion() const;

 private:
  struct Tool {
    std::string id;
    std::string name;
    std::string arguments;
  };
  struct Choice {
    std::string content;
    bool has_content = false;
    std::string refusal;
    std::string reasoning;
    std::map<std::int64_t, Tool> tools;
    std::string finish_reason;
  };
  void take_event(std::string_view data);
  void take_choice(const json::value& delta);

  SseParser parser_;
  bool done_ = false;
  bool malformed_ = false;
  std::string error_;
  std::string id_;
  std::string model_;
  std::int64_t created_s_ = 0;
  std::map<std::int64_t, Choice> choices_;
  json::value usage_;
};

}  // namespace understudy::wire
