// An incremental parser of server-sent events (WHATWG HTML, 9.2): lines end in \n, \r or \r\n,
// chunk borders fall anywhere, comments are skipped, several data lines join with \n. It never
// throws bytes of an event away.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy::wire {

struct SseEvent {
  std::string type;  // the "event" field; empty where there was none
  std::string data;
};

class SseParser {
 public:
  // Calls `on_event` for each event that `bytes` complete. exhausted when one event grows beyond
  // limits::sse_event_bytes_max.
  Status feed(std::string_view bytes, const std::function<void(const SseEvent&)>& on_event);

  // Bytes fed since the last event ended; 0 on the border between two. A relay that holds these
  // back never forwards half an event.
  [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_; }

 private:
  Status take_line(const std::function<void(const SseEvent&)>& on_event);

  std::string line_;
  SseEvent event_;
  std::size_t pending_bytes_ = 0;
  bool has_data_ = false;
  bool after_return_ = false;  // the last byte was \r: a \n now belongs to it
};

}  // namespace understudy::wire
