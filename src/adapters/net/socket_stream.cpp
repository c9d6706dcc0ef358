#include "adapters/net/socket_stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/socket_base.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.hpp"

namespace understudy::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t tls_record_bytes_max = 16 * limits::kibi;
constexpr std::size_t gathered_parts_max = 16;    // per system call
constexpr std::size_t kept_bytes_idle_max = 512;  // more is given back when it was consumed

IoStatus would_block_or_failed(IoStatus wanted) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? wanted : IoStatus::failed;
}

}  // namespace

std::size_t Outgoing::size() const {
  std::size_t bytes = current_.size();
  for (const std::string_view part : rest_) bytes += part.size();
  return bytes;
}

std::size_t Outgoing::gather(std::span<iovec> into) const {
  std::size_t count = 0;
  const auto add = [&](std::string_view part) {
    if (!part.empty()) into[count++] = {const_cast<char*>(part.data()), part.size()};
  };
  add(current_);
  for (std::size_t i = 0; i < rest_.size() && count < into.size(); ++i) add(rest_[i]);
  return count;
}

std::size_t Outgoing::copy_to(std::span<char> into) const {
  std::size_t copied = 0;
  const auto add = [&](std::string_view part) {
    const std::size_t taken = std::min(part.size(), into.size() - copied);
    std::memcpy(into.data() + copied, part.data(), taken);
    copied += taken;
  };
  add(current_);
  for (std::size_t i = 0; i < rest_.size() && copied < into.size(); ++i) add(rest_[i]);
  return copied;
}

void Outgoing::advance(std::size_t bytes) {
  while (bytes > 0) {
    const std::size_t step = std::min(bytes, current_.size());
    current_.remove_prefix(step);
    bytes -= step;
    skip_empty();
  }
}

void Outgoing::skip_empty() {
  while (current_.empty() && !rest_.empty()) {
    current_ = rest_.front();
    rest_ = rest_.subspan(1);
  }
}

SocketStream::SocketStream(IoLoop& loop) : loop_(loop), socket_(loop.context()) {
  loop_.add(*this);
  if (loop_.ending()) failure_ = StreamFailure::cancelled;
}

SocketStream::SocketStream(IoLoop& loop, int descriptor) : SocketStream(loop) {
  error_code error;
  socket_.assign(asio::ip::tcp::v4(), descriptor, error);
  if (error) failure_ = StreamFailure::cancelled;
}

SocketStream::~SocketStream() {
  alive_->stream = nullptr;
  loop_.remove(*this);
}

void SocketStream::register_anew() {
  error_code error;
  const int descriptor = socket_.release(error);
  if (!error) socket_.assign(asio::ip::tcp::v4(), descriptor, error);
  if (error) fail_waits(StreamFailure::cancelled);
}

void SocketStream::use_tls(std::unique_ptr<TlsSession> session) {
  CHECK(!read_armed_ && arrived_.empty(), "TLS reads the socket itself, from its first byte");
  tls_ = std::move(session);
}

IoResult SocketStream::receive(std::span<char> into, int flags) {
  if (read_armed_) return {IoStatus::want_read, 0};
  if (!arrived_.empty()) {
    const std::size_t taken = arrived_.copy(into.data(), into.size());
    if (flags != MSG_PEEK) arrived_.remove_prefix(taken);
    return {IoStatus::done, taken};
  }
  if (end_ != IoStatus::done) return {end_, 0};
  const ssize_t count =
      ::recv(socket_.native_handle(), into.data(), into.size(), flags | MSG_DONTWAIT);
  hears_of_end_ = count < 0;
  if (count > 0) return {IoStatus::done, static_cast<std::size_t>(count)};
  if (count == 0) return {IoStatus::ended, 0};
  return {would_block_or_failed(IoStatus::want_read), 0};
}

IoResult SocketStream::read(std::span<char> into) {
  return tls_ ? tls_->read(into) : receive(into, 0);
}

IoResult SocketStream::fill() {
  if (unread_.empty() && !arrived_.empty()) {
    unread_ = std::exchange(arrived_, {});
    return {IoStatus::done, unread_.size()};
  }
  if (unread_.empty()) {
    const auto scratch = loop_.scratch();
    const IoResult result = read(scratch);
    unread_ = {scratch.data(), result.bytes};
    return result;
  }
  settle();
  const std::size_t had = unread_.size();
  const std::size_t room = std::max(had, 4 * limits::kibi);
  kept_.erase(0, static_cast<std::size_t>(unread_.data() - kept_.data()));
  IoResult result;
  kept_.resize_and_overwrite(had + room, [&](char* data, std::size_t) {
    result = read({data + had, room});
    return had + result.bytes;
  });
  unread_ = kept_;
  return result;
}

void SocketStream::settle() {
  const bool inside_kept = !kept_.empty() && unread_.data() >= kept_.data() &&
                           unread_.data() <= kept_.data() + kept_.size();
  if (unread_.empty()) {
    if (kept_.capacity() > kept_bytes_idle_max) std::string().swap(kept_);
    kept_.clear();
    unread_ = {};
  } else if (!inside_kept) {
    kept_.assign(unread_);
    unread_ = kept_;
  }
}

IoStatus SocketStream::probe() {
  char byte = 0;
  return tls_ ? tls_->peek({&byte, 1}).status : receive({&byte, 1}, MSG_PEEK).status;
}

IoStatus SocketStream::write(Outgoing& bytes) {
  if (tls_) return write_tls(bytes);
  while (!bytes.done()) {
    std::array<iovec, gathered_parts_max> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = bytes.gather(parts);
    const ssize_t count = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return would_block_or_failed(IoStatus::want_write);
    bytes.advance(static_cast<std::size_t>(count));
  }
  return IoStatus::done;
}

// Small parts that lie apart go into one record; a retry meets the same bytes at its front.
IoStatus SocketStream::write_tls(Outgoing& bytes) {
  while (!bytes.done()) {
    std::span<const char> record = bytes.current();
    if (record.size() < tls_record_bytes_max) {
      const std::span<char> joined = loop_.scratch().first(tls_record_bytes_max);
      record = joined.first(bytes.copy_to(joined));
    }
    const IoResult result = tls_->write(record);
    if (result.status != IoStatus::done) return result.status;
    bytes.advance(result.bytes);
  }
  return IoStatus::done;
}

void SocketStream::arm_read() {
  if (read_armed_) return;
  settle();  // what is unread may lie in the inbox
  read_armed_ = true;
  watches_hang_up_ = false;
  if (tls_) return await_readability();
  if (arrived_.empty() && end_ == IoStatus::done) return await_bytes();
  loop_.post([alive = alive_] {
    if (alive->stream != nullptr) alive->stream->on_read_event();
  });
}

void SocketStream::await_readability() {
  socket_.async_wait(Socket::wait_read, [alive = alive_](error_code) {
    if (alive->stream != nullptr) alive->stream->on_read_event();
  });
}

void SocketStream::await_bytes() {
  if (!inbox_) inbox_ = std::make_unique_for_overwrite<char[]>(limits::stream_inbox_bytes);
  socket_.async_read_some(asio::buffer(inbox_.get(), limits::stream_inbox_bytes),
                          [alive = alive_](error_code error, std::size_t bytes) {
                            if (alive->stream != nullptr) alive->stream->on_bytes(error, bytes);
                          });
}

void SocketStream::arm_write() {
  if (write_armed_) return;
  write_armed_ = true;
  socket_.async_wait(Socket::wait_write, [alive = alive_](error_code) {
    if (alive->stream != nullptr) alive->stream->on_write_event();
  });
}

void SocketStream::on_bytes(error_code error, std::size_t bytes) {
  arrived_ = {inbox_.get(), bytes};
  hears_of_end_ = false;
  if (error == asio::error::eof) {
    end_ = IoStatus::ended;
  } else if (error && error != asio::error::operation_aborted) {
    end_ = IoStatus::failed;
  }  // else whoever waits looks for itself
  on_read_event();
}

void SocketStream::on_read_event() {
  read_armed_ = false;
  if (wakeup_.has_waiter()) {
    wakeup_.wake();
  } else if (observer_ != nullptr) {
    observer_->on_readable();
  }
}

void SocketStream::on_write_event() {
  write_armed_ = false;
  wakeup_.wake();
}

void SocketStream::wake_soon() { loop_.post(waker()); }

void SocketStream::fail_waits(StreamFailure failure) {
  if (failure_ != StreamFailure::none) return;
  failure_ = failure;
  wake_soon();
}

void SocketStream::on_sweep(std::int64_t now_ns) {
  if (now_ns >= deadline_ns_) fail_waits(StreamFailure::timeout);
  if (now_ns >= wake_at_ns_) {
    wake_at_ns_ = never_ns;
    wake_soon();
  }
  const bool may_miss_end = read_armed_ && !std::exchange(hears_of_end_, true);
  if ((!may_miss_end && !watches_hang_up_) || !socket_.is_open() || !has_hung_up()) return;
  error_code ignored;
  if (may_miss_end) socket_.cancel(ignored);
  if (!std::exchange(watches_hang_up_, false)) return;
  loop_.post([alive = alive_] {
    if (alive->stream != nullptr && alive->stream->observer_ != nullptr)
      alive->stream->observer_->on_hang_up();
  });
}

bool SocketStream::has_hung_up() {
  pollfd wait{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&wait, 1, 0) > 0;
}

void SocketStream::on_loop_stall(std::int64_t stalled_ns) {
  if (deadline_ns_ != never_ns) deadline_ns_ += stalled_ns;
}

void SocketStream::close() {
  error_code ignored;
  if (tls_ && failure_ == StreamFailure::none) tls_->say_goodbye();
  socket_.close(ignored);
}

void SocketStream::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

void SocketStream::shutdown_send() {
  error_code ignored;
  if (tls_) tls_->say_goodbye();
  socket_.shutdown(Socket::shutdown_send, ignored);
}

}  // namespace understudy::net
