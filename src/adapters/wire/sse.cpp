#include "adapters/wire/sse.hpp"

#include "base/limits.hpp"

namespace understudy::wire {

Status SseParser::feed(std::string_view bytes,
                       const std::function<void(const SseEvent&)>& on_event) {
  for (const char byte : bytes) {
    const bool completes_return = after_return_ && byte == '\n';
    after_return_ = byte == '\r';
    // The \n of a \r\n that ended an event lies on the border, not in the next event.
    if (!completes_return || pending_bytes_ > 0) ++pending_bytes_;
    if (completes_return) continue;
    if (byte == '\n' || byte == '\r') {
      TRY(take_line(on_event));
      continue;
    }
    line_ += byte;
    if (line_.size() + event_.data.size() > limits::sse_event_bytes_max) {
      return fail(ErrorCode::exhausted, "a stream event of more than " +
                                            std::to_string(limits::sse_event_bytes_max) + " bytes");
    }
  }
  return {};
}

Status SseParser::take_line(const std::function<void(const SseEvent&)>& on_event) {
  const std::string line = std::move(line_);
  line_.clear();
  if (line.empty()) {
    if (has_data_) on_event(event_);
    event_ = {};
    pending_bytes_ = 0;
    has_data_ = false;
    return {};
  }
  if (line.starts_with(':')) return {};
  const std::size_t colon = line.find(':');
  const std::string_view field = std::string_view(line).substr(0, colon);
  std::string_view value =
      colon == std::string::npos ? std::string_view{} : std::string_view(line).substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.type = std::string(value);
  if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
  return {};
}

}  // namespace understudy::wire
