// `understudy console`: the control plane's web server, on loopback by default. It serves the built
// page and the JSON API (api.hpp), and tells pages that are open what changed (/api/events, SSE).
//
// Without a token nothing answers but /health and the page itself, which holds no data. Tokens
// travel in the Authorization header, never in a cookie, so that no other site can use them; what
// changes something must also come from this origin. Every answer forbids framing, sniffing and
// everything that does not come from here. Requests for another host's name are refused (DNS
// rebinding). Owner: the verb; run() blocks until SIGINT or SIGTERM.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/net/http_server.hpp"
#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "console/refine_daemon.hpp"

namespace understudy::console {

struct ConsoleOptions {
  store::Home home;
  std::string host = "127.0.0.1";
  std::uint16_t port = 8090;  // 0: any free one
  net::TlsFiles tls = {};
  std::string version = {};
  std::function<json::value()> describe_gateway = {};
  std::optional<RefineDaemonOptions> refine = {};  // absent: the loop turns only by hand
  // More names that this console is reached by, behind a proxy: "console.example.com".
  std::vector<std::string> host_names = {};
};

class ConsoleServer {
 public:
  // conflict with a remedy when the port is taken.
  static Result<std::unique_ptr<ConsoleServer>> open(ConsoleOptions options);
  ~ConsoleServer();

  [[nodiscard]] std::uint16_t port() const;
  // With the owner's token behind the '#': what a browser is opened with. Keep it secret.
  [[nodiscard]] std::string owner_url() const;
  [[nodiscard]] std::string owner_token() const;
  void run();
  void stop();  // thread-safe
  void stop_on_signals();

 private:
  struct State;
  explicit ConsoleServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::console
