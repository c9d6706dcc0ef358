// Suspends one coroutine until somebody on the same I/O thread wakes it. Wakes may be spurious, and
// a wake that nobody waits for is forgotten: wait in a loop around a condition.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <utility>

namespace understudy::net {

class Wakeup {
 public:
  // co_await it at once. Deferred: awaited without a coroutine frame of its own.
  auto wait() {
    return boost::asio::async_initiate<const boost::asio::deferred_t&, void()>(
        [this](auto handler) { waiter_ = std::move(handler); }, boost::asio::deferred);
  }
  [[nodiscard]] bool has_waiter() const { return static_cast<bool>(waiter_); }
  // Resumes the coroutine inside this call: let it be the caller's last statement, for the
  // coroutine may end what the caller lives in.
  void wake() {
    if (waiter_) std::exchange(waiter_, nullptr)();
  }

 private:
  boost::asio::any_completion_handler<void()> waiter_;
};

}  // namespace understudy::net
