// An incremental parser of server-sent events (WHATWG HTML, 9.2): lines end in \n, \r or \r\n,
// chunk borders fall anywhere, comments are skipped, several data lines join with \n. It never
// throws bytes of an event away. One stream, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy::wire {

// Lives until the callback returns, which may change it.
struct SseEvent {
  std::string type;  // the "event" field; empty where there was none
  std::string data;
};

class SseParser {
 public:
  // Calls on_event(SseEvent&) for each event that `bytes` complete. exhausted when one event grows
  // beyond limits::sse_event_bytes_max.
  template <class OnEvent>
  Status feed(std::string_view bytes, OnEvent&& on_event);

  // Bytes fed since the last event ended; 0 on the border between two. A relay that holds these
  // back never forwards half an event.
  [[nodiscard]] std::size_t pending_bytes() const {
    return static_cast<std::size_t>(fed_ - event_begin_);
  }
  // Place in the stream where the current event began (inside on_event: the one that it is given);
  // between two events, where the last one ended.
  [[nodiscard]] std::uint64_t event_begin() const { return event_begin_; }
  [[nodiscard]] std::uint64_t fed_bytes() const { return fed_; }

 private:
  // The next line of the rest, without its end. False when the rest holds none that is complete;
  // it is kept then.
  bool next_line(std::string_view& rest, std::string_view& line);
  // True when the line completes an event that has data.
  bool take_line(std::string_view line);
  void end_event();
  Status check_size() const;

  std::string line_;  // the beginning of a line whose end has not come
  SseEvent event_;
  const char* newline_ = nullptr;  // the next \n of this feed, or its end
  std::uint64_t fed_ = 0;
  std::uint64_t event_begin_ = 0;
  bool has_data_ = false;
  bool is_event_end_ = false;  // the line that was taken last was empty
  bool after_return_ = false;  // the last byte was \r: a \n now belongs to it
  bool at_start_ = true;       // a byte order mark may come
};

template <class OnEvent>
Status SseParser::feed(std::string_view bytes, OnEvent&& on_event) {
  newline_ = nullptr;
  std::string_view line;
  while (next_line(bytes, line)) {
    if (take_line(line)) on_event(event_);
    line_.clear();
    if (is_event_end_) end_event();
    TRY(check_size());
  }
  return check_size();
}

}  // namespace understudy::wire
