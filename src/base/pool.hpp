// A fixed set of worker threads for what must not run on an I/O thread: disk, crypto of large
// bodies, tokenizing, small models. Owner: whoever makes it; the destructor finishes what was
// submitted. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace understudy {

class Pool {
 public:
  explicit Pool(std::size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void submit(std::function<void()> work);

  // Runs body(0) .. body(count - 1) on the workers and returns when all are done.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& body);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> workers_;
};

}  // namespace understudy
