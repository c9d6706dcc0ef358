// One TCP connection, plain or TLS, as non-blocking reads and writes plus two things to wait for:
// readable and writable. One coroutine at a time waits; a deadline, cancel() or the end of the loop
// wake it too, and leave failure() set for good. A wait for readability stays outstanding when its
// coroutine goes on, so that the end of a silent peer is noticed in every phase (StreamObserver).
// Belongs to one IoLoop's thread. Internal to adapters/net.
#pragma once

#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "adapters/net/io_loop.hpp"
#include "adapters/net/tls.hpp"
#include "adapters/net/wakeup.hpp"

namespace understudy::net {

enum class StreamFailure { none, timeout, cancelled };

// Bytes to be written, in parts that lie apart; what was sent of them is remembered.
class Outgoing {
 public:
  explicit Outgoing(std::string_view first, std::span<const std::string_view> rest = {})
      : current_(first), rest_(rest) {
    skip_empty();
  }
  [[nodiscard]] bool done() const { return current_.empty(); }
  [[nodiscard]] std::string_view current() const { return current_; }
  [[nodiscard]] std::size_t size() const;
  std::size_t gather(std::span<iovec> into) const;  // how many were filled
  std::size_t copy_to(std::span<char> into) const;  // how many bytes were copied
  void advance(std::size_t bytes);

 private:
  void skip_empty();
  std::string_view current_;
  std::span<const std::string_view> rest_;
};

// Both are called from the event loop, never while the stream is inside a call.
class StreamObserver {
 public:
  virtual void on_readable() = 0;  // while no coroutine waits for the stream
  virtual void on_hang_up() = 0;   // see watch_for_hang_up()

 protected:
  ~StreamObserver() = default;
};

class SocketStream final : private Swept {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoLoop::Executor>;

  explicit SocketStream(IoLoop& loop);         // not connected yet
  SocketStream(IoLoop& loop, int descriptor);  // accepted; takes it over
  ~SocketStream();
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] IoLoop& loop() { return loop_; }
  // After a connect: Asio would go on reporting that the socket is writable, one event per wait.
  void register_anew();
  void use_tls(std::unique_ptr<TlsSession> session);  // before the first wait, or after an answer
  [[nodiscard]] TlsSession* tls() { return tls_.get(); }
  void observe(StreamObserver* observer) { observer_ = observer; }

  // Input. fill() reads what is there behind the unread bytes, into the loop's scratch buffer where
  // it can: whoever called it consumes or settle()s before the next suspension. While a wait for
  // readability is outstanding on a plain connection, what comes goes to that: want_read.
  IoResult fill();
  [[nodiscard]] std::string_view unread() const { return unread_; }
  void consume(std::size_t bytes) { unread_.remove_prefix(bytes); }
  void settle();
  IoResult read(std::span<char> into);  // past the unread bytes, which must be empty
  // Is somebody there? want_read: yes, silent. done: yes, with bytes to read. Else: gone.
  IoStatus probe();
  // In each sweep until the next wait for readability: on_hang_up() once the peer has closed its
  // side, although bytes before that are unread.
  void watch_for_hang_up() { watches_hang_up_ = true; }

  // Output: as much as the socket takes now. done: all of it.
  IoStatus write(Outgoing& bytes);

  // co_await at once, where failure() is none; wakes can be spurious.
  auto readable() {
    arm_read();
    return wakeup_.wait();
  }
  auto writable() {
    arm_write();
    return wakeup_.wait();
  }
  auto ready_for(IoStatus wanted) {
    if (wanted == IoStatus::want_write) arm_write();
    if (wanted != IoStatus::want_write) arm_read();
    return wakeup_.wait();
  }
  // By waker(), a deadline or cancel() alone; also by that time.
  auto woken(std::int64_t latest_ns = never_ns) {
    wake_at_ns_ = latest_ns;
    return wakeup_.wait();
  }
  // Wakes the coroutine from an event loop's handler (its last statement), if it still is there.
  [[nodiscard]] auto waker() {
    return [alive = alive_] {
      if (alive->stream != nullptr) alive->stream->wakeup_.wake();
    };
  }
  void arm_read();
  [[nodiscard]] bool read_is_armed() const { return read_armed_; }
  // A wait is outstanding and was not answered yet: reading would find nothing.
  [[nodiscard]] bool is_surely_empty() const {
    return read_armed_ && (!tls_ || !tls_->has_pending());
  }

  void set_deadline(std::int64_t deadline_ns) { deadline_ns_ = deadline_ns; }
  [[nodiscard]] std::int64_t deadline_ns() const { return deadline_ns_; }
  [[nodiscard]] StreamFailure failure() const { return failure_; }
  void cancel() { fail_waits(StreamFailure::cancelled); }

  void close();
  void reset();          // RST
  void shutdown_send();  // "that was all"

 private:
  struct Alive {
    SocketStream* stream;
  };
  void arm_write();
  void await_readability();
  void await_bytes();
  IoResult receive(std::span<char> into, int flags);
  void on_bytes(boost::system::error_code error, std::size_t bytes);
  void on_read_event();
  void on_write_event();
  [[nodiscard]] bool has_hung_up();
  void fail_waits(StreamFailure failure);
  void wake_soon();  // from the event loop, not inside this call
  void on_sweep(std::int64_t now_ns) override;
  void on_loop_stall(std::int64_t stalled_ns) override;
  void on_loop_end() override { fail_waits(StreamFailure::cancelled); }
  IoStatus write_tls(Outgoing& bytes);

  IoLoop& loop_;
  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  // shared: with handlers that Asio still has to call, or to destroy, after the stream's end
  std::shared_ptr<Alive> alive_ = std::make_shared<Alive>(this);
  Wakeup wakeup_;
  StreamObserver* observer_ = nullptr;
  // A plain connection waits by reading: telling the system anew that it waits would be a call more
  // for each message.
  std::unique_ptr<char[]> inbox_;  // where that goes, stream_inbox_bytes
  std::string_view arrived_;       // of it: what no fill() or read() took yet
  IoStatus end_ = IoStatus::done;  // ended or failed, behind what arrived
  std::string kept_;               // unread bytes across suspensions
  std::string_view unread_;
  std::int64_t deadline_ns_ = never_ns;
  std::int64_t wake_at_ns_ = never_ns;
  StreamFailure failure_ = StreamFailure::none;
  bool read_armed_ = false;
  bool write_armed_ = false;
  bool watches_hang_up_ = false;
  // The system tells a waiting read of an end that comes from now on, but maybe not of one that
  // came with the last bytes. Where no read found nothing behind these, the next sweep looks for
  // it.
  bool hears_of_end_ = true;
};

}  // namespace understudy::net
