#include "adapters/net/async.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>

#include "adapters/net/io_loop.hpp"
#include "base/log.hpp"

namespace understudy::net {

namespace asio = boost::asio;

Async<void> sleep_for(std::chrono::nanoseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

void start_detached(Async<void> work) {
  asio::co_spawn(IoLoop::current().context(), std::move(work), [](std::exception_ptr failed) {
    try {
      if (failed) std::rethrow_exception(failed);
    } catch (const std::exception& error) {
      log::error(std::string("work in the background failed: ") + error.what());
    }
  });
}

void run_async(Async<void> work) {
  IoLoop loop;
  std::exception_ptr thrown;
  asio::co_spawn(loop.context(), std::move(work), [&](std::exception_ptr failed) {
    thrown = failed;
    loop.stop();
  });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace understudy::net
