// The coroutine type of the I/O threads, and a hop from an I/O thread to a worker pool and back.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "base/pool.hpp"

namespace understudy::net {

template <class T>
using Async = boost::asio::awaitable<T>;

// Runs `work` on the pool and resumes the caller on its own I/O thread with the result.
template <class T>
Async<T> on_pool(Pool& pool, std::function<T()> work) {
  auto executor = co_await boost::asio::this_coro::executor;
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(T)>(
      [&pool, executor](auto handler, std::function<T()> task) {
        // shared: std::function, which the pool stores, must be copyable, and the handler is not
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        pool.submit([executor, resume, task = std::move(task)] {
          auto result = std::make_shared<T>(task());
          boost::asio::post(executor,
                            [resume, result] { std::move (*resume)(std::move(*result)); });
        });
      },
      boost::asio::use_awaitable, std::move(work));
}

}  // namespace understudy::net
