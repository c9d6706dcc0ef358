#include "live/gateway/loopback_peers.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace understudy::live::testing_peers {

namespace {

std::string lower(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return std::tolower(c); });
  return low;
}

// The chunked body at the start of `bytes`, with its length on the wire; nothing while incomplete.
std::optional<std::pair<std::string, std::size_t>> dechunked(std::string_view bytes) {
  std::string body;
  std::size_t at = 0;
  while (true) {
    const std::size_t line_end = bytes.find("\r\n", at);
    if (line_end == std::string_view::npos) return std::nullopt;
    std::size_t size = 0;
    std::from_chars(bytes.data() + at, bytes.data() + line_end, size, 16);
    at = line_end + 2;
    if (bytes.size() < at + size + 2) return std::nullopt;
    body += bytes.substr(at, size);
    at += size + 2;
    if (size == 0) return std::pair{body, at};
  }
}

// What could be read of a chunked body that was cut.
std::string partial_chunks(std::string_view bytes) {
  std::string body;
  std::size_t at = 0;
  while (true) {
    const std::size_t line_end = bytes.find("\r\n", at);
    if (line_end == std::string_view::npos) return body;
    std::size_t size = 0;
    std::from_chars(bytes.data() + at, bytes.data() + line_end, size, 16);
    at = line_end + 2;
    body += bytes.substr(at, size);
    if (size == 0 || bytes.size() < at + size + 2) return body;
    at += size + 2;
  }
}

}  // namespace

int Message::status() const {
  return start_line.size() < 12 ? 0 : std::stoi(start_line.substr(9, 3));
}

std::string Message::header(std::string_view name) const {
  const std::string low = lower(head);
  const std::size_t at = low.find("\r\n" + std::string(name) + ":");
  if (at == std::string::npos) return {};
  std::size_t from = at + 3 + name.size();
  while (from < head.size() && head[from] == ' ') ++from;
  return head.substr(from, head.find("\r\n", from) - from);
}

Message read_message(Peer& peer, std::string& rest) {
  Message message;
  std::size_t head_end = 0;
  while ((head_end = rest.find("\r\n\r\n")) == std::string::npos) {
    const std::string more = peer.receive();
    if (more.empty()) return message;
    rest += more;
  }
  message.start_line = rest.substr(0, rest.find("\r\n"));
  message.head = rest.substr(message.start_line.size(), head_end + 2 - message.start_line.size());
  rest.erase(0, head_end + 4);
  const bool chunked = lower(message.header("transfer-encoding")) == "chunked";
  const std::string length_text = message.header("content-length");
  const std::size_t length = length_text.empty() ? 0 : std::stoul(length_text);
  while (true) {
    if (chunked) {
      if (const auto body = dechunked(rest)) {
        message.body = body->first;
        message.wire = rest.substr(0, body->second);
        rest.erase(0, body->second);
        message.complete = true;
        return message;
      }
    } else if (rest.size() >= length) {
      message.body = message.wire = rest.substr(0, length);
      rest.erase(0, length);
      message.complete = true;
      return message;
    }
    const std::string more = peer.receive();
    if (more.empty()) {
      message.body = chunked ? partial_chunks(rest) : rest;
      return message;
    }
    rest += more;
  }
}

std::string json_answer(std::string_view body, std::string_view more_headers) {
  return net::testing_peers::answer(
      body, "Content-Type: application/json\r\n" + std::string(more_headers));
}

std::string post(std::string_view path, std::string_view body, std::string_view more_headers) {
  return net::testing_peers::post(path, body,
                                  "Content-Type: application/json\r\n" + std::string(more_headers));
}

ScriptedUpstream::ScriptedUpstream(Script script)
    : script_(std::move(script)), server_([this](Peer& peer) { serve(peer); }) {}

std::vector<Message> ScriptedUpstream::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void ScriptedUpstream::serve(Peer& peer) {
  std::string rest;
  while (true) {
    const Message request = read_message(peer, rest);
    if (!request.complete) return;
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(request);
    }
    if (!script_(peer, request)) return;
  }
}

}  // namespace understudy::live::testing_peers
