// Progress of long work on stderr: share done, rate, time left. On a terminal one line that
// rewrites itself; elsewhere a line every ten seconds. Quiet for work that ends within a second.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace understudy {

class Progress {
 public:
  // total = 0: not known, shows count and rate only. `unit` as in "calls", "steps".
  Progress(std::string what, std::uint64_t total, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::uint64_t count = 1);
  void note(std::string text);  // shown behind the rate, for example "loss 0.31"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Progress is shown unless a script asked for silence (--quiet).
void set_progress_shown(bool shown);

}  // namespace understudy
