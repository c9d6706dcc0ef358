#include <sys/resource.h>

#include <filesystem>

#include "adapters/telemetry/families.hpp"
#include "base/process_memory.hpp"

namespace understudy::telemetry {

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double open_descriptors() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error))
    ++count;
  return count;
}

}  // namespace

void collect_process(Families& families) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  families.counter("process_cpu_seconds_total", "User and system CPU time.",
                   seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
  families.gauge("process_resident_memory_bytes", "Resident memory size.", resident_bytes());
  families.gauge("process_open_fds", "Open file descriptors.", open_descriptors());
}

}  // namespace understudy::telemetry
