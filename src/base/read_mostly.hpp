// What every call reads and hardly anything changes. A line of the cache that two processors write
// to by turns costs each of them a quarter of a microsecond, and a lock or a count of references is
// such a line even where it is taken to read only: so each thread has one of its own here.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace understudy {

// The calling thread's own, from 0, for as long as it lives.
inline std::size_t thread_number() {
  static std::atomic<std::size_t> threads = 0;
  thread_local const std::size_t number = threads++;
  return number;
}

inline constexpr std::size_t cache_line_bytes = 64;

// One T for each of a few threads; more threads share them.
template <class T>
class PerThread {
 public:
  [[nodiscard]] T& own() { return shards_[thread_number() % shards_.size()].value; }
  // Calls function(T&) for each, always in the same order.
  template <class Function>
  void each(const Function& function) {
    for (Shard& shard : shards_) function(shard.value);
  }

 private:
  struct alignas(cache_line_bytes) Shard {
    T value{};
  };
  std::array<Shard, 8> shards_;
};

// As std::shared_mutex, which std::shared_lock and std::unique_lock take. A reader locks its own
// thread's part, a writer all of them. Readers may keep each other waiting: hold it briefly.
class ReadMostlyMutex {
 public:
  void lock_shared() { parts_.own().lock(); }
  void unlock_shared() { parts_.own().unlock(); }
  void lock() {
    parts_.each([](std::mutex& part) { part.lock(); });
  }
  void unlock() {
    parts_.each([](std::mutex& part) { part.unlock(); });
  }

 private:
  PerThread<std::mutex> parts_;
};

// A value that is replaced as a whole; who loaded it keeps what was in force then. Thread-safe.
template <class T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> value) { store(std::move(value)); }

  [[nodiscard]] std::shared_ptr<const T> load() const {
    Part& own = parts_.own();
    const std::scoped_lock lock(own.mutex);
    return own.value;
  }
  // Threads that load meanwhile get either one.
  void store(const std::shared_ptr<const T>& value) {
    parts_.each([&](Part& part) {
      // Its own count of references, around the common one.
      std::shared_ptr<const T> own(value.get(), [value](const T*) {});
      const std::scoped_lock lock(part.mutex);
      part.value.swap(own);
    });
  }

 private:
  struct Part {
    std::mutex mutex;
    std::shared_ptr<const T> value;
  };
  mutable PerThread<Part> parts_;
};

}  // namespace understudy
