// Both ends of a connection for tests, of this folder and of whoever serves HTTP, as raw blocking
// loopback sockets that can misbehave byte by byte, and what else those tests share. Every wait
// ends after peer_timeout_ms.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "adapters/net/http_server.hpp"
#include "adapters/net/tls.hpp"

namespace understudy::net::testing_peers {

inline constexpr int peer_timeout_ms = 10'000;

class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {}
  Peer(Peer&& other) noexcept;
  Peer& operator=(Peer&&) = delete;
  ~Peer();

  static Peer connect_to(std::uint16_t port);
  bool start_tls(const TlsContext& context, const std::string& host);

  bool send(std::string_view bytes);
  std::string receive();  // some bytes; empty at the end, on a reset or a timeout
  // Everything up to and including `end`, and no byte more of it than came along.
  std::string receive_until(std::string_view end);
  std::string receive_head() { return receive_until("\r\n\r\n"); }
  // A whole message with Content-Length or chunks, as on the wire.
  std::string receive_message();
  std::string receive_all();  // until the end
  enum class End { clean, reset, still_open };
  End wait_for_end(int timeout_ms = peer_timeout_ms);
  void wait_without_reading();  // until the other side is gone
  void small_receive_buffer();  // before much is sent to it
  void half_close();
  void close();
  void reset();  // closes with an RST
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  std::string unread_;
  std::unique_ptr<TlsSession> tls_;
};

// Runs the script for each connection, on a thread of its own.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;
  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;
  [[nodiscard]] int connections() const { return connections_; }

 private:
  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::jthread> workers_;
  std::jthread acceptor_;
};

// An HttpServer in a thread; drains at the end.
class RunningServer {
 public:
  explicit RunningServer(HttpServer::Handler handler, HttpServerOptions options = {});
  ~RunningServer();
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] Peer connect() const { return Peer::connect_to(port_); }
  HttpServer& server() { return *server_; }
  void wait_until_ended() { thread_.join(); }

 private:
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// Something that happens on another thread.
class Event {
 public:
  void set();
  bool wait(int timeout_ms = peer_timeout_ms);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

// A self-signed certificate for localhost, upstream.test and 127.0.0.1, with its key; also its CA.
struct CertificateFiles {
  CertificateFiles();
  ~CertificateFiles();
  CertificateFiles(const CertificateFiles&) = delete;
  CertificateFiles& operator=(const CertificateFiles&) = delete;
  std::filesystem::path folder;
  std::string certificate;
  std::string key;
};

std::string post(std::string_view path, std::string_view body, std::string_view more_headers = {});
std::string answer(std::string_view body, std::string_view more_headers = {});
std::string body_of(const std::string& message);

}  // namespace understudy::net::testing_peers
