// One I/O thread's event loop: Asio's io_context, a coarse sweep that enforces every deadline of
// the loop's streams (a timer per operation would cost more than the operation), a shared read
// buffer, and what upstreams keep per thread. Everything but post() and stop() belongs to the
// thread in run(). Internal to adapters/net.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/limits.hpp"

namespace understudy::net {

inline constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

std::int64_t steady_now_ns();

// What a loop looks at in each sweep. on_sweep() may post, but never ends a Swept on the spot.
class Swept {
 public:
  virtual void on_sweep(std::int64_t now_ns) = 0;
  virtual void on_loop_stall(std::int64_t stalled_ns) = 0;  // the loop itself was late: be lenient
  virtual void on_loop_end() = 0;                           // fail every wait, now and later

 protected:
  ~Swept() = default;

 private:
  friend class IoLoop;
  std::size_t swept_index_ = 0;
};

// What another object keeps per loop, ended on the loop's thread or with the loop.
class LoopAttachment {
 public:
  virtual ~LoopAttachment() = default;
};

class IoLoop;

// A way to a loop from any thread, for as long as the loop lives.
class LoopHandle {
 public:
  explicit LoopHandle(IoLoop& loop) : loop_(&loop) {}
  // Calls function(IoLoop&) on the loop's thread; nothing happens where the loop has ended.
  template <class Function>
  void post(Function&& function);
  void expire() {
    const std::scoped_lock lock(mutex_);
    loop_ = nullptr;
  }

 private:
  std::mutex mutex_;
  IoLoop* loop_;
};

class IoLoop {
 public:
  using Executor = boost::asio::io_context::executor_type;

  IoLoop();
  ~IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  static IoLoop& current();  // CHECKs that this is an I/O thread

  void run();   // until stop()
  void stop();  // thread-safe
  void end_all_waits();

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  template <class Function>
  void post(Function&& function) {  // thread-safe
    boost::asio::post(context_, std::forward<Function>(function));
  }

  // The time of the last sweep: at most one sweep behind, and free.
  [[nodiscard]] std::int64_t coarse_now_ns() const { return coarse_now_ns_; }
  [[nodiscard]] std::int64_t deadline_in(std::chrono::nanoseconds duration) const {
    return coarse_now_ns_ + duration.count() + std::int64_t{limits::loop_sweep_ms} * 1'000'000;
  }
  // Contents last until the next suspension.
  [[nodiscard]] std::span<char> scratch() { return {scratch_.get(), limits::loop_scratch_bytes}; }
  [[nodiscard]] bool ending() const { return ending_; }

  void add(Swept& swept);
  void remove(Swept& swept);

  [[nodiscard]] std::unique_ptr<LoopAttachment>& attachment(std::uint64_t owner) {
    return attachments_[owner];
  }
  void detach(std::uint64_t owner) { attachments_.erase(owner); }
  // shared: with what outlives the loop and must know when it is gone
  [[nodiscard]] const std::shared_ptr<LoopHandle>& handle() const { return handle_; }

 private:
  void arm_sweep();
  void sweep();

  bool sweep_armed_ = false;
  bool ending_ = false;
  std::int64_t coarse_now_ns_ = steady_now_ns();
  std::unique_ptr<char[]> scratch_ = std::make_unique<char[]>(limits::loop_scratch_bytes);
  // shared: see handle()
  std::shared_ptr<LoopHandle> handle_ = std::make_shared<LoopHandle>(*this);
  std::vector<Swept*> swept_;
  // Its end destroys the coroutines that still wait, and with them streams that leave swept_.
  boost::asio::io_context context_;
  boost::asio::steady_timer sweep_timer_;
  std::unordered_map<std::uint64_t, std::unique_ptr<LoopAttachment>> attachments_;
};

template <class Function>
void LoopHandle::post(Function&& function) {
  const std::scoped_lock lock(mutex_);
  if (loop_ == nullptr) return;
  loop_->post([loop = loop_, call = std::forward<Function>(function)]() mutable { call(*loop); });
}

}  // namespace understudy::net
