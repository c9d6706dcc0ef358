#include "adapters/wire/sse.hpp"

#include <cstring>

#include "base/limits.hpp"

namespace understudy::wire {

namespace {

const char* find_byte(const char* begin, const char* end, char byte) {
  const void* found = std::memchr(begin, byte, static_cast<std::size_t>(end - begin));
  return found != nullptr ? static_cast<const char*>(found) : end;
}

}  // namespace

bool SseParser::next_line(std::string_view& rest, std::string_view& line) {
  if (rest.empty()) return false;
  if (after_return_) {
    after_return_ = false;
    if (rest.front() == '\n') {
      // The \n of a \r\n that ended an event lies on the border, not in the next event.
      const bool is_border = fed_ == event_begin_;
      rest.remove_prefix(1);
      ++fed_;
      if (is_border) event_begin_ = fed_;
      if (rest.empty()) return false;
    }
  }
  const char* begin = rest.data();
  const char* end = begin + rest.size();
  if (newline_ == nullptr || newline_ < begin) newline_ = find_byte(begin, end, '\n');
  const char* line_end = find_byte(begin, newline_, '\r');
  const auto line_bytes = static_cast<std::size_t>(line_end - begin);
  if (line_end == end) {
    line_.append(begin, line_bytes);
    fed_ += line_bytes;
    return false;
  }
  std::size_t end_bytes = 1;
  if (*line_end == '\r') {
    if (line_end + 1 == end)
      after_return_ = true;
    else if (line_end[1] == '\n')
      end_bytes = 2;
  }
  line = rest.substr(0, line_bytes);
  if (!line_.empty()) line = line_.append(line);
  rest.remove_prefix(line_bytes + end_bytes);
  fed_ += line_bytes + end_bytes;
  return true;
}

bool SseParser::take_line(std::string_view line) {
  if (at_start_ && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  at_start_ = false;
  is_event_end_ = line.empty();
  if (is_event_end_) return has_data_;
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value =
      colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  } else if (field == "event") {
    event_.type = value;
  }
  return false;
}

void SseParser::end_event() {
  event_.type.clear();
  event_.data.clear();
  event_begin_ = fed_;
  has_data_ = false;
  is_event_end_ = false;
}

Status SseParser::check_size() const {
  if (line_.size() + event_.data.size() <= limits::sse_event_bytes_max) return {};
  return fail(ErrorCode::exhausted, "a stream event of more than " +
                                        std::to_string(limits::sse_event_bytes_max) + " bytes");
}

}  // namespace understudy::wire
