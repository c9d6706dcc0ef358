#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <random>
#include <utility>

#include "adapters/net/test_peers.hpp"

namespace understudy::net::testing_peers {

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

std::size_t announced_length(std::string_view head) {
  for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
    const std::size_t at = head.find(name);
    if (at == std::string_view::npos) continue;
    std::size_t length = 0;
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
    return length;
  }
  return 0;
}

void write_pem(const std::string& path, const std::function<void(FILE*)>& write) {
  FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  write(file);
  std::fclose(file);
}

}  // namespace

Peer::Peer(Peer&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      unread_(std::move(other.unread_)),
      tls_(std::move(other.tls_)) {}
Peer::~Peer() { close(); }

Peer Peer::connect_to(std::uint16_t port) {
  Peer peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(peer.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    peer.close();
  return peer;
}

bool Peer::start_tls(const TlsContext& context, const std::string& host) {
  tls_ = TlsSession::connect(context, descriptor_, host);
  return tls_->handshake().status == IoStatus::done;
}

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    if (tls_) {
      sent = tls_->write(bytes).bytes;
    } else {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      sent = count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    if (sent == 0) return false;
    bytes.remove_prefix(sent);
  }
  return true;
}

std::string Peer::receive() {
  if (!unread_.empty()) return std::exchange(unread_, {});
  std::string bytes(std::size_t{256} * 1024, '\0');
  if ((!tls_ || !tls_->has_pending()) && !readable(descriptor_, peer_timeout_ms)) return {};
  if (tls_) {
    bytes.resize(tls_->read(bytes).bytes);
    return bytes;
  }
  const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

std::string Peer::receive_until(std::string_view end) {
  std::string bytes;
  while (true) {
    const std::size_t at = bytes.find(end);
    if (at != std::string::npos) {
      unread_ = bytes.substr(at + end.size());
      return bytes.substr(0, at + end.size());
    }
    const std::string more = receive();
    if (more.empty()) return bytes;
    bytes += more;
  }
}

std::string Peer::receive_message() {
  std::string message = receive_head();
  if (message.contains("chunked\r\n")) return message + receive_until("0\r\n\r\n");
  std::size_t left = announced_length(message);
  while (left > 0) {
    std::string more = receive();
    if (more.empty()) break;
    if (more.size() > left) {
      unread_ = more.substr(left);
      more.resize(left);
    }
    left -= more.size();
    message += more;
  }
  return message;
}

std::string Peer::receive_all() {
  std::string bytes;
  while (true) {
    const std::string more = receive();
    if (more.empty()) return bytes;
    bytes += more;
  }
}

Peer::End Peer::wait_for_end(int timeout_ms) {
  while (readable(descriptor_, timeout_ms)) {
    std::array<char, 65536> bytes{};
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (count == 0) return End::clean;
    if (count < 0) return End::reset;
  }
  return End::still_open;
}

void Peer::wait_without_reading() {
  pollfd wait{.fd = descriptor_, .events = POLLRDHUP, .revents = 0};
  ::poll(&wait, 1, peer_timeout_ms);
}

void Peer::small_receive_buffer() {
  const int bytes = 64 * 1024;
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

void Peer::half_close() { ::shutdown(descriptor_, SHUT_WR); }

void Peer::close() {
  if (tls_) tls_->say_goodbye();
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Peer::reset() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  tls_.reset();
  close();
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener_, 256);
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] {
    while (true) {
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) return;
      ++connections_;
      const std::scoped_lock lock(mutex_);
      open_.push_back(descriptor);
      workers_.emplace_back([this, descriptor] {
        Peer peer(descriptor);
        script_(peer);
        const std::scoped_lock done(mutex_);
        std::erase(open_, descriptor);
      });
    }
  });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::scoped_lock lock(mutex_);
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  workers_.clear();
}

std::string ScriptedServer::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/v1";
}

RunningServer::RunningServer(HttpServer::Handler handler, HttpServerOptions options) {
  auto made = HttpServer::create(options, std::move(handler));
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().to_text());
  if (!made) return;
  server_ = *std::move(made);
  port_ = server_->port();
  thread_ = std::thread([this] { server_->run(); });
}

RunningServer::~RunningServer() {
  if (server_) server_->stop();
  if (thread_.joinable()) thread_.join();
}

void Event::set() {
  const std::scoped_lock lock(mutex_);
  is_set_ = true;
  changed_.notify_all();
}

bool Event::wait(int timeout_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return is_set_; });
}

CertificateFiles::CertificateFiles() {
  folder = std::filesystem::temp_directory_path() /
           ("understudy_net_" + std::to_string(std::random_device{}()));
  std::filesystem::create_directory(folder);
  certificate = folder / "certificate.pem";
  key = folder / "key.pem";
  EVP_PKEY* pair = EVP_EC_gen("P-256");
  X509* made = X509_new();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, pair);
  X509_NAME* name = X509_NAME_new();
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("understudy test"), -1, -1, 0);
  X509_set_subject_name(made, name);
  X509_set_issuer_name(made, name);
  X509_NAME_free(name);
  const auto extend = [made](int id, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, "critical,CA:TRUE");
  extend(NID_subject_alt_name, "DNS:localhost,DNS:upstream.test,IP:127.0.0.1");
  X509_sign(made, pair, EVP_sha256());
  write_pem(certificate, [made](FILE* file) { PEM_write_X509(file, made); });
  write_pem(key, [pair](FILE* file) {
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
  });
  X509_free(made);
  EVP_PKEY_free(pair);
}

CertificateFiles::~CertificateFiles() { std::filesystem::remove_all(folder); }

std::string post(std::string_view path, std::string_view body, std::string_view more_headers) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: server\r\n" + std::string(more_headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string answer(std::string_view body, std::string_view more_headers) {
  return "HTTP/1.1 200 OK\r\n" + std::string(more_headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string body_of(const std::string& message) {
  const std::size_t at = message.find("\r\n\r\n");
  return at == std::string::npos ? std::string{} : message.substr(at + 4);
}

}  // namespace understudy::net::testing_peers
