// Reads the events of one streamed answer beside the relay that forwards them, and puts the answer
// together that they stand for: the body that the API would have sent without streaming. A stream
// is complete, cut or malformed; unknown events survive the relay and are no defect.
// About 0.5 us for a small delta: no tree is built for an event. One stream, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/wire/api.hpp"
#include "adapters/wire/errors.hpp"
#include "adapters/wire/json_cursor.hpp"
#include "adapters/wire/sse.hpp"
#include "base/result.hpp"
#include "records/call.hpp"

namespace understudy::wire {

// Bytes [begin, begin + bytes) of a stream, counted from its first byte.
struct StreamSpan {
  std::uint64_t begin = 0;
  std::uint64_t bytes = 0;
};

class StreamReader {
 public:
  // Embeddings are never streamed: their reader reads a chat stream.
  static std::unique_ptr<StreamReader> make(Api api);
  virtual ~StreamReader() = default;

  // Bytes as they pass. exhausted: an event above limits::sse_event_bytes_max, or an answer above
  // limits::body_bytes_max. An event that is no JSON makes the stream malformed(); reading goes on.
  Status feed(std::string_view bytes);

  // How much of the stream may be forwarded: whole events, up to the first one that a client's SDK
  // could not read (no JSON, or an error in a shape that it does not know).
  [[nodiscard]] std::uint64_t clean_bytes() const {
    return fault_begin_ ? *fault_begin_ : parser_.event_begin();
  }
  [[nodiscard]] std::size_t pending_bytes() const { return parser_.pending_bytes(); }
  // The event that stream_options.include_usage adds (it has no choices): to be cut out where the
  // client did not ask for it.
  [[nodiscard]] std::optional<StreamSpan> usage_event() const { return usage_event_; }

  // The API's own end was seen: [DONE], message_stop, response.completed and its like.
  [[nodiscard]] virtual bool done() const { return done_; }
  // Everything that belongs to the answer has come. Chat streams: every choice is finished, with or
  // without [DONE].
  [[nodiscard]] virtual bool complete() const { return done(); }
  [[nodiscard]] bool malformed() const { return malformed_; }
  // "type/code" of an error event, what can be done about it, and all of it.
  [[nodiscard]] const std::string& error() const { return error_label_; }
  [[nodiscard]] ErrorKind error_kind() const { return error_.kind; }
  [[nodiscard]] const ErrorFacts& error_facts() const { return error_; }
  [[nodiscard]] bool has_content() const { return has_content_; }  // text, a call, reasoning

  // Of the answer's parts, for response_text(); about its memory.
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }
  // There is no memory for more: parts are let go as they go on, and response_text() says nothing.
  void stop_keeping() {
    keeps_ = false;
    kept_bytes_ = 0;
  }

  // What was received so far as one body of the API, JSON text; empty when nothing was.
  [[nodiscard]] virtual std::string response_text() const = 0;
  [[nodiscard]] virtual std::string finish_reason() const = 0;  // in OpenAI's words
  [[nodiscard]] const std::optional<Usage>& usage() const { return usage_; }
  [[nodiscard]] const std::string& served_model() const { return model_; }
  [[nodiscard]] const std::string& response_id() const { return id_; }
  [[nodiscard]] std::int64_t next_sequence_number() const { return next_sequence_number_; }

 protected:
  StreamReader() = default;

  // One event whose data is a whole JSON object; the cursor stands on its brace.
  virtual void take_event(const SseEvent& event, JsonCursor& cursor) = 0;

  // Appends to a part of the answer; bounded over all parts.
  void keep(std::string& part, std::string_view piece) {
    if (!keeps_) return std::string().swap(part);
    part += piece;
    kept_bytes_ += piece.size();
  }
  void set_error(const SseEvent& event);
  // The event that is being read comes behind one that must not be forwarded.
  [[nodiscard]] bool behind_fault() const { return fault_begin_.has_value(); }
  void mark_unreadable() {  // the event that is being read must not be forwarded
    if (!fault_begin_) fault_begin_ = parser_.event_begin();
  }

  bool done_ = false;            // as the API's events say it
  bool ends_with_done_ = false;  // "[DONE]" came
  bool has_content_ = false;
  bool is_usage_event_ = false;  // the event that is being read
  std::string id_;
  std::string model_;
  std::optional<Usage> usage_;
  std::int64_t next_sequence_number_ = 0;

 private:
  void read_event(SseEvent& event);

  SseParser parser_;
  std::optional<std::uint64_t> fault_begin_;
  std::optional<StreamSpan> usage_event_;
  bool malformed_ = false;
  ErrorFacts error_;
  std::string error_label_;
  bool keeps_ = true;
  std::size_t kept_bytes_ = 0;
};

}  // namespace understudy::wire
