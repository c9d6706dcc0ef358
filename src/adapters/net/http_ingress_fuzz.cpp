// Whatever a client sends: a server's connection, over a socket pair, neither crashes nor hangs,
// and what it takes for requests does not depend on how the bytes were cut.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/net/message_parser.hpp"
#include "adapters/net/server_connection.hpp"

namespace {

using namespace understudy;
using namespace understudy::net;

// Every request in the bytes as text, and how it ended.
std::string parsed(std::string_view bytes, std::size_t step) {
  std::string seen;
  std::string unread;
  RequestParser parser;
  HttpRequest request;
  std::string body;
  bool in_head = true;
  parser.start(request);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    unread += bytes.substr(at, step);
    while (!unread.empty()) {
      const ParseResult result =
          in_head ? parser.parse_head(unread) : parser.parse_body(unread, body);
      unread.erase(0, result.consumed);
      if (result.status == ParseStatus::bad || result.status == ParseStatus::too_large)
        return seen + (result.status == ParseStatus::bad ? "bad" : "too large");
      if (result.status == ParseStatus::need_more) break;
      if (std::exchange(in_head, false) && parser.has_body()) continue;
      seen += request.method + " " + request.target + "\n";
      for (const Header header : request.headers.items())
        seen.append(header.name).append(":").append(header.value).append("\n");
      seen += body + "\n";
      request = {};
      body.clear();
      in_head = true;
      parser.start(request);
    }
  }
  return seen;
}

Async<void> echo(Exchange& exchange) {
  if (exchange.request().target.size() % 2 == 0) {
    while (true) {
      const auto part = co_await exchange.read_body_part();
      if (!part || part->empty()) break;
    }
  } else if (!co_await exchange.read_body()) {
    co_await exchange.send(400, {}, "");
    co_return;
  }
  co_await exchange.begin(200, {});
  co_await exchange.write(exchange.request().body.substr(0, 100));
  co_await exchange.finish();
}

void serve(std::string_view bytes) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) std::abort();
  if (::send(ends[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) std::abort();
  ::shutdown(ends[0], SHUT_WR);
  {
    ServerContext context;
    context.handler = echo;
    IoLoop loop;
    ServerConnection connection(context, loop, ends[1], nullptr);
    boost::asio::co_spawn(loop.context(), connection.serve(), [&loop](std::exception_ptr thrown) {
      if (thrown) std::abort();
      loop.stop();
    });
    loop.run();
  }
  ::close(ends[0]);
}

constexpr std::size_t bytes_max = std::size_t{64} * 1024;  // the socket takes them at once

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > bytes_max) return 0;
  std::string bytes;
  if ((data[0] & 1) != 0) bytes = "POST /x HTTP/1.1\r\nHost: s\r\n";
  if ((data[0] & 3) == 3) bytes += "Transfer-Encoding: chunked\r\n\r\n";
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = parsed(bytes, std::max<std::size_t>(bytes.size(), 1));
  if (parsed(bytes, 1 + (data[0] >> 2) % 7) != whole) std::abort();
  serve(bytes);
  return 0;
}
