// For a mutex that is held well under a microsecond at a time: looks again some times before it
// lets the system put the thread to sleep. Sleeping and waking cost ten times what such a wait
// does; on 2 busy I/O threads one call in twenty slept for each of its locks.
#pragma once

#include <mutex>

namespace understudy {

template <class Mutex>
[[nodiscard]] std::unique_lock<Mutex> short_lock(Mutex& mutex) {
  constexpr int looks_max = 100;  // about 2 us
  for (int looks = 0; looks < looks_max; ++looks) {
    std::unique_lock lock(mutex, std::try_to_lock);
    if (lock) return lock;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return std::unique_lock(mutex);
}

}  // namespace understudy
