// Just enough HTTP/1.1 to count messages at full speed: no validation, no allocation per message.
// Both ends of a bench are ours, so a peer that breaks the protocol is a failed bench, not an
// input.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace load {

// The length of the whole request at the front of `bytes`, or nothing while it is incomplete.
// Understands Content-Length and chunked bodies (up to their first empty chunk).
std::optional<std::size_t> request_length(std::string_view bytes);

// The value of a header of the head at the front of `bytes`; `name` in lower case with its colon.
std::string_view header_value(std::string_view head, std::string_view name);

// Decodes one answer that arrives in parts: `feed` appends the body's bytes to `body`.
class AnswerReader {
 public:
  void feed(std::string_view bytes, std::string& body);
  [[nodiscard]] bool ended() const { return state_ == State::ended; }
  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  enum class State { head, body, chunk_size, chunk, chunk_end, until_close, ended };
  bool take_head();
  bool take_line(std::string_view& line);

  State state_ = State::head;
  std::string pending_;   // bytes that are not decoded yet
  std::size_t at_ = 0;    // how much of pending_ is
  std::size_t left_ = 0;  // of the body or of the chunk
  unsigned status_ = 0;
  bool broken_ = false;
};

}  // namespace load
