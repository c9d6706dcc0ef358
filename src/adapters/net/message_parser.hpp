// HTTP/1.1 messages from bytes as they come, by Beast's parser, with the strictness that a server
// behind or before other servers needs: where two readers could disagree about the framing, the
// message is bad. Hides Beast, which costs seconds per translation unit. Internal to adapters/net.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/net/http.hpp"

namespace understudy::net {

enum class ParseStatus { need_more, done, bad, too_large };
struct ParseResult {
  ParseStatus status = ParseStatus::need_more;
  std::size_t consumed = 0;  // bytes that need not be shown again
};

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();

  // Method, target and headers go into `request`, which must stay where it is.
  void start(HttpRequest& request);
  ParseResult parse_head(std::string_view bytes);
  // Behind the head, where has_body(): appends what it decodes.
  ParseResult parse_body(std::string_view bytes, std::string& into);

  [[nodiscard]] bool begun() const;  // bytes of the head were consumed
  [[nodiscard]] bool has_body() const;
  [[nodiscard]] bool body_is_done() const;
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;  // nothing: in chunks, or none
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool is_http_1_0() const;
  [[nodiscard]] bool expects_continue() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ResponseParser {
 public:
  ResponseParser();
  ~ResponseParser();

  // An answer to a HEAD announces a body that does not come.
  enum class Body { as_announced, none };
  void start(Headers& headers, Body body);
  ParseResult parse_head(std::string_view bytes);
  ParseResult parse_body(std::string_view bytes, std::string& into);
  ParseStatus end_of_stream();  // done: that was its end

  [[nodiscard]] unsigned status() const;
  [[nodiscard]] bool body_is_done() const;
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string_view reason_phrase(unsigned status);

}  // namespace understudy::net
