// Both ends of the gateway for its tests, on the raw loopback sockets of
// adapters/net/test_peers.hpp: an upstream that reads whole requests and answers them by a script,
// and messages taken apart as a client sees them on the wire. Blocking; every wait ends after
// peer_timeout_ms.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/net/test_peers.hpp"

namespace understudy::live::testing_peers {

using net::testing_peers::Peer;

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

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] int connections() const { return server_.connections(); }
  [[nodiscard]] std::vector<Message> requests() const;

 private:
  void serve(Peer& peer);

  Script script_;
  mutable std::mutex mutex_;
  std::vector<Message> requests_;
  net::testing_peers::ScriptedServer server_;  // last: its threads use what stands above
};

}  // namespace understudy::live::testing_peers
