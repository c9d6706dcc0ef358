// TLS over a non-blocking socket, by OpenSSL: contexts read from PEM files, and one session per
// connection that holds no buffers while idle. Asio's own TLS stream keeps about 70 KiB per
// connection and cannot be polled. Internal to adapters/net.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace understudy::net {

enum class IoStatus {
  done,        // `bytes` were moved
  want_read,   // try again when the socket is readable
  want_write,  // ... writable
  ended,       // the peer's clean end
  failed,      // reset, cut, or not TLS
};
struct IoResult {
  IoStatus status = IoStatus::failed;
  std::size_t bytes = 0;
};

class TlsContext {
 public:
  static Result<std::shared_ptr<const TlsContext>> server(const std::string& certificate_file,
                                                          const std::string& key_file);
  // ca_file empty: the system's certificates.
  static Result<std::shared_ptr<const TlsContext>> client(const std::string& ca_file);

  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

class TlsSession {
 public:
  // The socket stays the caller's. `host` is what the server must prove to be.
  static std::unique_ptr<TlsSession> accept(const TlsContext& context, int socket);
  static std::unique_ptr<TlsSession> connect(const TlsContext& context, int socket,
                                             const std::string& host);

  IoResult handshake();
  IoResult read(std::span<char> into);
  IoResult peek(std::span<char> into);
  IoResult write(std::span<const char> from);  // the same bytes again after want_*
  [[nodiscard]] bool has_pending() const;      // bytes that the socket no longer has
  void say_goodbye();                          // close_notify, if it can be sent at once
  // Why the last call failed, for people: "certificate verify failed (self-signed certificate)".
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  struct Free {
    void operator()(ssl_st* session) const;
  };
  explicit TlsSession(ssl_st* session) : session_(session) {}
  IoResult outcome(int result);

  std::unique_ptr<ssl_st, Free> session_;
  std::string reason_;
};

}  // namespace understudy::net
