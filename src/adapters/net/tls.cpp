#include "adapters/net/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "base/check.hpp"

namespace understudy::net {

namespace {

constexpr std::array<unsigned char, 9> http_1_1 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// OpenSSL's own socket BIO writes by write(2), which raises SIGPIPE.
int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int bio_read(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::recv(descriptor_of(bio), into, static_cast<std::size_t>(size), 0);
  if (count < 0 && would_block()) BIO_set_retry_read(bio);
  if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(count);
}

int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t count =
      ::send(descriptor_of(bio), from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (count < 0 && would_block()) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

std::string last_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned int in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, http_1_1.data(), http_1_1.size(), in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void set_common(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
}

SSL* new_session(SSL_CTX* context, int socket) {
  SSL* session = SSL_new(context);
  CHECK(session != nullptr, "no memory for a TLS session");
  BIO* bio = BIO_new(socket_method());
  CHECK(bio != nullptr, "no memory for a TLS session");
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session, bio, bio);
  return session;
}

int clamped(std::size_t bytes) {
  return static_cast<int>(std::min<std::size_t>(bytes, std::numeric_limits<int>::max()));
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsSession::Free::operator()(ssl_st* session) const { SSL_free(session); }

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const std::string& certificate_file,
                                                             const std::string& key_file) {
  std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_server_method())));
  SSL_CTX* context = made->get();
  set_common(context);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return fail(ErrorCode::invalid_input,
                "cannot use the TLS certificate " + certificate_file + ": " + last_error(),
                "it must be a PEM file: the server's certificate, then the chain");
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return fail(ErrorCode::invalid_input,
                "cannot use the TLS key " + key_file + ": " + last_error(),
                "it must be an unencrypted PEM file and belong to the certificate");
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return std::shared_ptr<const TlsContext>(std::move(made));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const std::string& ca_file) {
  std::shared_ptr<TlsContext> made(new TlsContext(SSL_CTX_new(TLS_client_method())));
  SSL_CTX* context = made->get();
  set_common(context);
  const int read = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                   : SSL_CTX_load_verify_file(context, ca_file.c_str());
  if (read != 1)
    return fail(ErrorCode::invalid_input,
                "cannot read the certificates of " +
                    (ca_file.empty() ? std::string("the system") : ca_file) + ": " + last_error(),
                ca_file.empty() ? "install ca-certificates" : "it must be a PEM file");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, http_1_1.data(), http_1_1.size());
  return std::shared_ptr<const TlsContext>(std::move(made));
}

std::unique_ptr<TlsSession> TlsSession::accept(const TlsContext& context, int socket) {
  SSL* session = new_session(context.get(), socket);
  SSL_set_accept_state(session);
  return std::unique_ptr<TlsSession>(new TlsSession(session));
}

std::unique_ptr<TlsSession> TlsSession::connect(const TlsContext& context, int socket,
                                                const std::string& host) {
  SSL* session = new_session(context.get(), socket);
  SSL_set_connect_state(session);
  // An address is proven by an IP entry of the certificate, and has no place in the SNI.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) != 1) {
    ERR_clear_error();
    SSL_set1_host(session, host.c_str());
    SSL_set_tlsext_host_name(session, host.c_str());
  }
  return std::unique_ptr<TlsSession>(new TlsSession(session));
}

IoResult TlsSession::outcome(int result) {
  if (result > 0) return {IoStatus::done, static_cast<std::size_t>(result)};
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {IoStatus::want_read, 0};
    case SSL_ERROR_WANT_WRITE: return {IoStatus::want_write, 0};
    case SSL_ERROR_ZERO_RETURN: return {IoStatus::ended, 0};
    default: break;
  }
  reason_ = last_error();
  const long verified = SSL_get_verify_result(session_.get());
  if (verified != X509_V_OK)
    reason_ += std::string(" (") + X509_verify_cert_error_string(verified) + ")";
  return {IoStatus::failed, 0};
}

IoResult TlsSession::handshake() {
  ERR_clear_error();
  return outcome(SSL_do_handshake(session_.get()));
}

IoResult TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  return outcome(SSL_read(session_.get(), into.data(), clamped(into.size())));
}

IoResult TlsSession::peek(std::span<char> into) {
  ERR_clear_error();
  return outcome(SSL_peek(session_.get(), into.data(), clamped(into.size())));
}

IoResult TlsSession::write(std::span<const char> from) {
  ERR_clear_error();
  return outcome(SSL_write(session_.get(), from.data(), clamped(from.size())));
}

bool TlsSession::has_pending() const { return SSL_has_pending(session_.get()) == 1; }

void TlsSession::say_goodbye() {
  if (SSL_is_init_finished(session_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(session_.get());
  ERR_clear_error();
}

}  // namespace understudy::net
