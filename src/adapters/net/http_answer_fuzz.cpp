// Whatever an upstream answers: it is read or refused, never a crash, and not by how it was cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "adapters/net/message_parser.hpp"

namespace {

using namespace understudy::net;

std::string parsed(std::string_view bytes, std::size_t step, ResponseParser::Body expected) {
  ResponseParser parser;
  Headers headers;
  std::string body;
  std::string unread;
  bool head_done = false;
  parser.start(headers, expected);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    unread += bytes.substr(at, step);
    while (!unread.empty() && !(head_done && parser.body_is_done())) {
      const ParseResult result =
          head_done ? parser.parse_body(unread, body) : parser.parse_head(unread);
      unread.erase(0, result.consumed);
      if (result.status == ParseStatus::bad || result.status == ParseStatus::too_large)
        return body + "!";
      if (result.status == ParseStatus::need_more) break;
      head_done = true;
    }
  }
  std::string seen = std::to_string(parser.status()) + "\n";
  for (const Header header : headers.items())
    seen.append(header.name).append(":").append(header.value).append("\n");
  if (head_done && !parser.body_is_done() && parser.end_of_stream() == ParseStatus::done)
    seen += "ended\n";
  return seen + body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto expected =
      (data[0] & 1) != 0 ? ResponseParser::Body::none : ResponseParser::Body::as_announced;
  std::string bytes;
  if ((data[0] & 2) != 0) bytes = "HTTP/1.1 200 OK\r\n";
  if ((data[0] & 6) == 6) bytes += "Transfer-Encoding: chunked\r\n\r\n";
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = parsed(bytes, std::max<std::size_t>(bytes.size(), 1), expected);
  if (parsed(bytes, 1 + (data[0] >> 3) % 7, expected) != whole) std::abort();
  return 0;
}
