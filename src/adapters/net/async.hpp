// The coroutine type of the I/O threads, sleeping on one, a hop from an I/O thread to a worker pool
// and back, and an I/O loop for programs without a server. Every Async runs on the loop that
// started it, from beginning to end.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/pool.hpp"

namespace understudy::net {

template <class T>
using Async = boost::asio::awaitable<T>;

// Returns after that time, on the same I/O thread.
Async<void> sleep_for(std::chrono::nanoseconds duration);

// Starts a coroutine on the calling I/O thread and does not wait for it. What it refers to must
// outlive it; what it throws is logged.
void start_detached(Async<void> work);

// Runs a coroutine to its end on an I/O loop of its own, on this thread: for tests, and for
// commands that call an upstream without serving.
void run_async(Async<void> work);
template <class T>
T run_async(Async<T> work) {
  std::optional<T> result;
  auto keep = [](Async<T> inner, std::optional<T>* out) -> Async<void> {
    out->emplace(co_await std::move(inner));
  };
  run_async(keep(std::move(work), &result));
  return std::move(*result);
}

// Suspends until somebody calls back, from whatever thread, and resumes on the caller's own I/O
// thread with what they gave. `start` gets the callback; it must be called exactly once.
template <class T, class Start>
Async<T> from_callback(Start start) {
  auto executor = co_await boost::asio::this_coro::executor;
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(T)>(
      [executor](auto handler, Start begin) {
        // shared: a std::function must be copyable, and the handler is not
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        begin([executor, resume](T result) {
          auto kept = std::make_shared<T>(std::move(result));
          boost::asio::post(executor, [resume, kept] { std::move (*resume)(std::move(*kept)); });
        });
      },
      boost::asio::use_awaitable, std::move(start));
}

// Runs `work` on the pool and resumes the caller on its own I/O thread with the result.
template <class T>
Async<T> on_pool(Pool& pool, std::function<T()> work) {
  co_return co_await from_callback<T>([&pool, work = std::move(work)](auto resume) mutable {
    pool.submit([resume, work = std::move(work)] { resume(work()); });
  });
}

}  // namespace understudy::net
