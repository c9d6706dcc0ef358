#include "http_scan.hpp"

#include <algorithm>
#include <charconv>

namespace load {

namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::size_t number(std::string_view text, int base = 10) {
  std::size_t value = 0;
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

std::string_view header_value(std::string_view head, std::string_view name) {
  for (std::size_t start = head.find("\r\n"); start != std::string_view::npos;) {
    start += 2;
    const std::size_t end = head.find("\r\n", start);
    std::string_view line = head.substr(start, end == std::string_view::npos ? end : end - start);
    if (line.size() >= name.size() &&
        std::equal(name.begin(), name.end(), line.begin(),
                   [](char wanted, char given) { return wanted == lower(given); })) {
      line.remove_prefix(name.size());
      while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
      return line;
    }
    start = end;
  }
  return {};
}

std::optional<std::size_t> request_length(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  const std::size_t body = end + 4;
  const std::string_view head = bytes.substr(0, body);
  std::size_t length = body;
  if (header_value(head, "transfer-encoding:").starts_with("chunked")) {
    const std::size_t last = bytes.find("0\r\n\r\n", body);
    if (last == std::string_view::npos) return {};
    length = last + 5;
  } else if (const std::string_view given = header_value(head, "content-length:"); !given.empty()) {
    length = body + number(given);
  }
  if (bytes.size() < length) return {};
  return length;
}

bool AnswerReader::take_line(std::string_view& line) {
  const std::size_t end = pending_.find("\r\n", at_);
  if (end == std::string::npos) return false;
  line = std::string_view(pending_).substr(at_, end - at_);
  at_ = end + 2;
  return true;
}

bool AnswerReader::take_head() {
  const std::size_t end = pending_.find("\r\n\r\n", at_);
  if (end == std::string::npos) return false;
  const std::string_view head = std::string_view(pending_).substr(at_, end + 2 - at_);
  at_ = end + 4;
  status_ = static_cast<unsigned>(number(head.substr(head.find(' ') + 1)));
  if (header_value(head, "transfer-encoding:").starts_with("chunked")) {
    state_ = State::chunk_size;
  } else if (const std::string_view length = header_value(head, "content-length:");
             !length.empty()) {
    left_ = number(length);
    state_ = left_ > 0 ? State::body : State::ended;
  } else {
    state_ = State::until_close;
  }
  return true;
}

void AnswerReader::feed(std::string_view bytes, std::string& body) {
  pending_.append(bytes);
  for (bool moved = true; moved && state_ != State::ended;) {
    moved = false;
    std::string_view line;
    switch (state_) {
      case State::head: moved = take_head(); break;
      case State::chunk_size:
        moved = take_line(line);
        if (moved) {
          if (line.empty()) broken_ = true;
          left_ = number(line, 16);
          state_ = left_ > 0 ? State::chunk : State::ended;
        }
        break;
      case State::chunk_end:
        moved = take_line(line);
        if (moved) state_ = State::chunk_size;
        break;
      case State::body:
      case State::chunk: {
        const std::size_t part = std::min(left_, pending_.size() - at_);
        body.append(pending_, at_, part);
        at_ += part;
        left_ -= part;
        if (left_ == 0) {
          state_ = state_ == State::body ? State::ended : State::chunk_end;
          moved = true;
        }
        break;
      }
      case State::until_close:
        body.append(pending_, at_);
        at_ = pending_.size();
        break;
      case State::ended: break;
    }
  }
  pending_.erase(0, at_);
  at_ = 0;
}

}  // namespace load
