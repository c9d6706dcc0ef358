#include "adapters/wire/stream_reader.hpp"

#include "adapters/wire/chat_stream.hpp"
#include "adapters/wire/messages_stream.hpp"
#include "adapters/wire/responses_stream.hpp"
#include "base/limits.hpp"

namespace understudy::wire {

std::unique_ptr<StreamReader> StreamReader::make(Api api) {
  switch (api) {
    case Api::messages: return std::make_unique<MessagesStream>();
    case Api::responses: return std::make_unique<ResponsesStream>();
    case Api::completions: return std::make_unique<ChatStream>(Api::completions);
    case Api::chat_completions:
    case Api::embeddings: break;
  }
  return std::make_unique<ChatStream>();
}

Status StreamReader::feed(std::string_view bytes) {
  TRY(parser_.feed(bytes, [this](SseEvent& event) { read_event(event); }));
  if (kept_bytes_ <= limits::body_bytes_max) return {};
  return fail(ErrorCode::exhausted, "a streamed answer of more than " +
                                        std::to_string(limits::body_bytes_max) + " bytes");
}

void StreamReader::read_event(SseEvent& event) {
  if (event.data == "[DONE]") {
    ends_with_done_ = true;
    return;
  }
  const JsonText text(event.data);
  JsonCursor cursor = text.cursor();
  // First the whole event: a broken one contributes nothing.
  JsonCursor check = text.cursor(Check::all);
  check.skip();
  if (cursor.peek() != '{' || !check.at_end()) {
    malformed_ = true;
    mark_unreadable();
    return;
  }
  is_usage_event_ = false;
  take_event(event, cursor);
  if (is_usage_event_) {
    usage_event_ = {.begin = parser_.event_begin(),
                    .bytes = parser_.fed_bytes() - parser_.event_begin()};
  }
}

void StreamReader::set_error(const SseEvent& event) {
  auto error = read_error(event.data);
  if (!error) return;
  if (error->foreign) mark_unreadable();
  // An error is the last thing that a client hears: not even [DONE] may come behind it.
  if (!fault_begin_) fault_begin_ = parser_.fed_bytes();
  error_ = std::move(*error);
  error_label_ = error_.label();
}

}  // namespace understudy::wire
