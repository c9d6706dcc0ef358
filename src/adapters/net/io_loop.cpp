#include "adapters/net/io_loop.hpp"

#include <boost/asio/config.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <chrono>

#include "base/check.hpp"

namespace understudy::net {

namespace asio = boost::asio;

namespace {

constexpr std::int64_t sweep_ns = std::int64_t{limits::loop_sweep_ms} * 1'000'000;
// A sweep that comes this late was held up by us or by the machine, not by the peers.
constexpr std::int64_t stall_ns = 10 * sweep_ns;

// One thread runs a loop, so its reactor needs no locks. A read that comes back short took all
// there was, and the next one waits to be told of more; of an end, maybe in vain (hears_of_end_).
constexpr const char* settings =
    "scheduler.concurrency_hint=1\n"
    "reactor.io_locking=0\n"
    "reactor.reset_edge_on_partial_read=1\n";

thread_local IoLoop* current_loop = nullptr;

}  // namespace

std::int64_t steady_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

IoLoop::IoLoop() : context_(asio::config_from_string(settings)), sweep_timer_(context_) {}

IoLoop::~IoLoop() {
  handle_->expire();
  attachments_.clear();
}

IoLoop& IoLoop::current() {
  CHECK(current_loop != nullptr, "network calls are made on I/O threads only");
  return *current_loop;
}

void IoLoop::run() {
  IoLoop* outer = std::exchange(current_loop, this);
  const auto keep = asio::make_work_guard(context_);
  context_.run();
  current_loop = outer;
}

void IoLoop::stop() { context_.stop(); }

void IoLoop::add(Swept& swept) {
  swept.swept_index_ = swept_.size();
  swept_.push_back(&swept);
  if (!sweep_armed_) {
    coarse_now_ns_ = steady_now_ns();
    arm_sweep();
  }
}

void IoLoop::remove(Swept& swept) {
  swept_.back()->swept_index_ = swept.swept_index_;
  swept_[swept.swept_index_] = swept_.back();
  swept_.pop_back();
}

void IoLoop::arm_sweep() {
  sweep_armed_ = true;
  sweep_timer_.expires_after(std::chrono::milliseconds(limits::loop_sweep_ms));
  sweep_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) sweep();
  });
}

void IoLoop::sweep() {
  sweep_armed_ = false;
  const std::int64_t now_ns = steady_now_ns();
  const std::int64_t late_ns = now_ns - coarse_now_ns_ - sweep_ns;
  coarse_now_ns_ = now_ns;
  if (late_ns > stall_ns) {
    for (Swept* swept : swept_) swept->on_loop_stall(late_ns);
  }
  for (Swept* swept : swept_) swept->on_sweep(now_ns);
  if (!swept_.empty()) arm_sweep();
}

void IoLoop::end_all_waits() {
  ending_ = true;
  for (Swept* swept : swept_) swept->on_loop_end();
}

}  // namespace understudy::net
