// The stream of OpenAI's Responses API: typed events, numbered, whose last one carries the whole
// response. Where that one never came, the response is rebuilt from what did.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/json_parts.hpp"
#include "adapters/wire/response_facts.hpp"
#include "adapters/wire/stream_reader.hpp"

namespace understudy::wire {

class ResponsesStream final : public StreamReader {
 public:
  [[nodiscard]] bool done() const override { return done_; }
  [[nodiscard]] std::string response_text() const override;
  [[nodiscard]] std::string finish_reason() const override { return finish_reason_; }

 private:
  // The members of an event that matter, as views of its text.
  struct Event {
    std::string_view type;
    std::int64_t output_index = 0;
    std::int64_t part_index = 0;  // content_index or summary_index
    std::string_view delta;       // escaped
    std::string_view response;
    std::string_view item;
    std::string_view part;
  };
  // A piece of an item that comes in deltas: a content or summary part, or a member of the item.
  struct Piece {
    std::string_view kind;  // the event's type without ".delta", from the table of kinds
    std::int64_t index = 0;
    std::string text;  // escaped
  };
  struct Item {
    std::int64_t index = 0;
    std::string text;  // JSON, as it was added or (is_done) in the end
    bool is_done = false;
    std::vector<Piece> pieces;
  };

  void take_event(const SseEvent& event, JsonCursor& cursor) override;
  void take_snapshot(std::string_view response);
  void take_end(std::string_view response);
  void take_item(const Event& event, bool is_done);
  void take_delta(const Event& event);
  Item* item_at(std::int64_t index);
  [[nodiscard]] static std::string rebuilt(const Item& item);

  std::string response_;  // JSON: the latest snapshot, in the end the whole
  std::string finish_reason_;
  std::vector<Item> items_;
};

}  // namespace understudy::wire
