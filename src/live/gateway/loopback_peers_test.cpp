#include "live/gateway/loopback_peers.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace understudy::live::testing_peers {

namespace {

bool readable(int descriptor, int timeout_ms) {
  pollfd wait{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, timeout_ms) > 0;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

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

Peer::Peer(Peer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
Peer::~Peer() { close(); }

Peer Peer::connect_to(std::uint16_t port) {
  Peer peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(peer.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    peer.close();
  return peer;
}

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string Peer::receive() {
  if (!readable(descriptor_, peer_timeout_ms)) return {};
  std::string bytes(std::size_t{256} * 1024, '\0');
  const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

bool Peer::wait_for_end(int timeout_ms) {
  while (readable(descriptor_, timeout_ms)) {
    std::array<char, 4096> bytes{};
    if (::recv(descriptor_, bytes.data(), bytes.size(), 0) <= 0) return true;
  }
  return false;
}

void Peer::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Peer::reset() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

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
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + std::string(more_headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string post(std::string_view path, std::string_view body, std::string_view more_headers) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: gateway\r\n" +
         "Content-Type: application/json\r\n" + std::string(more_headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

ScriptedUpstream::ScriptedUpstream(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener_, 256);
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept(); });
}

ScriptedUpstream::~ScriptedUpstream() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::scoped_lock lock(mutex_);
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  workers_.clear();
}

std::string ScriptedUpstream::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/v1";
}

std::vector<Message> ScriptedUpstream::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void ScriptedUpstream::accept() {
  while (true) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    ++connections_;
    const std::scoped_lock lock(mutex_);
    open_.push_back(descriptor);
    workers_.emplace_back([this, descriptor] { serve(descriptor); });
  }
}

void ScriptedUpstream::serve(int descriptor) {
  Peer peer(descriptor);
  std::string rest;
  while (true) {
    const Message request = read_message(peer, rest);
    if (!request.complete) break;
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(request);
    }
    if (!script_(peer, request)) break;
  }
  const std::scoped_lock lock(mutex_);
  std::erase(open_, descriptor);
}

}  // namespace understudy::live::testing_peers
