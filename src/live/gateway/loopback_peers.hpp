// Both ends of the gateway for its tests, on raw loopback sockets, so that they can misbehave byte
// by byte: an upstream whose answers are scripted, and a client that sees what is on the wire.
// Blocking; every wait ends after peer_timeout_ms.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace understudy::live::testing_peers {

inline constexpr int peer_timeout_ms = 10'000;

// One end of a connection; closes when it dies.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {}
  Peer(Peer&& other) noexcept;
  Peer& operator=(Peer&&) = delete;
  ~Peer();

  static Peer connect_to(std::uint16_t port);

  bool send(std::string_view bytes);
  std::string receive();  // some bytes; empty at the end, on a reset or a timeout
  bool wait_for_end(int timeout_ms = peer_timeout_ms);  // the other side has closed
  void close();
  void reset();  // closes with an RST

 private:
  int descriptor_;
};

struct Message {
  std::string start_line;
  std::string head;  // all header lines, as they were
  std::string body;  // without chunk framing
  std::string wire;  // the body with its framing
  bool complete = false;

  [[nodiscard]] int status() const;
  [[nodiscard]] std::string header(std::string_view lower_case_name) const;
};

// Reads one message; `rest` holds bytes of the next one between calls.
Message read_message(Peer& peer, std::string& rest);

std::string json_answer(std::string_view body, std::string_view more_headers = {});
std::string post(std::string_view path, std::string_view body, std::string_view more_headers = {});

// Answers each request by the script; false from it ends the connection.
class ScriptedUpstream {
 public:
  using Script = std::function<bool(Peer&, const Message& request)>;

  explicit ScriptedUpstream(Script script);
  ~ScriptedUpstream();
  ScriptedUpstream(const ScriptedUpstream&) = delete;
  ScriptedUpstream& operator=(const ScriptedUpstream&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] std::vector<Message> requests() const;

 private:
  void accept();
  void serve(int descriptor);

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<Message> requests_;
  std::vector<int> open_;
  std::vector<std::jthread> workers_;
  std::jthread acceptor_;
};

}  // namespace understudy::live::testing_peers
