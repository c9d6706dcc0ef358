// A value that takes long to make, kept while the stamp of what it is made from stays the same.
// When the stamp differs it is made anew on a thread of its own; the old one serves meanwhile, so
// that a page never waits long. Owner: facts.hpp. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.hpp"

namespace understudy::console {

// A page waits this long for newer facts; what takes longer comes with the next event.
inline constexpr auto patience = std::chrono::milliseconds(150);
// What takes longer than this to make is not made again at once: it rests four times as long, so
// that a large log under traffic costs a fifth of a core at most.
inline constexpr auto quick = std::chrono::milliseconds(100);
inline constexpr int rest_factor = 4;

// What make() uses must outlive this.
template <class T>
class Kept {
 public:
  using Value = std::shared_ptr<const T>;
  using Make = std::function<Result<Value>()>;

  // Only the first is waited for without end. An error is that of the last make().
  Result<Value> get(const std::string& stamp, const Make& make) {
    std::unique_lock lock(mutex_);
    const auto deadline = Clock::now() + patience;
    const std::uint64_t made_before = made_;
    while (value_ == nullptr || stamp_ != stamp) {
      if (made_ != made_before && (value_ == nullptr || problem_)) break;
      if (!making_ && !begin(stamp, make)) break;
      if (value_ == nullptr) {
        ended_.wait(lock, [this] { return !making_; });
      } else if (!ended_.wait_until(lock, deadline, [this] { return !making_; })) {
        break;
      }
    }
    if (problem_) return fail(*problem_);
    return value_;
  }

  // The stamp of what get() gives now, without waiting; the same as `stamp` where nothing is kept.
  std::string refresh(const std::string& stamp, const Make& make) {
    const std::scoped_lock lock(mutex_);
    if (stamp_ != stamp && !making_) begin(stamp, make);
    return value_ == nullptr ? stamp : stamp_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // False: too soon. Under the lock.
  bool begin(const std::string& stamp, const Make& make) {
    if (took_ > quick && Clock::now() < ended_at_ + rest_factor * took_) return false;
    making_ = true;
    worker_ = std::jthread([this, stamp, make] {
      const auto begun = Clock::now();
      auto value = make();
      const std::scoped_lock lock(mutex_);
      problem_.reset();
      if (value) {
        value_ = std::move(*value);
        stamp_ = stamp;
      } else {
        problem_ = value.error();
      }
      ended_at_ = Clock::now();
      took_ = ended_at_ - begun;
      making_ = false;
      ++made_;
      ended_.notify_all();
    });
    return true;
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::string stamp_;
  Value value_;  // shared: see Facts
  std::optional<Error> problem_;
  bool making_ = false;
  std::uint64_t made_ = 0;
  Clock::time_point ended_at_;
  Clock::duration took_{};
  std::jthread worker_;  // last: ends before what it writes to
};

}  // namespace understudy::console
