#include "base/stop_request.hpp"

#include <atomic>

namespace understudy {

namespace {

std::atomic<int> last = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a handler may write to it");

void take_signal(int signal) { last = signal; }

}  // namespace

StopRequest::StopRequest() {
  last = 0;
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction now = {};
    if (::sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
    before_.emplace_back(signal, now);
    struct sigaction taken = {};
    taken.sa_handler = take_signal;
    if (signal == SIGINT) taken.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(signal, &taken, nullptr);
  }
}

StopRequest::~StopRequest() {
  for (const auto& [signal, action] : before_) ::sigaction(signal, &action, nullptr);
}

int StopRequest::signal() { return last; }

}  // namespace understudy
