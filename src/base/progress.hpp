// Progress of long work on stderr: share done, rate, time left. On a terminal one line that
// rewrites itself, drawn by the program's painter; elsewhere a line every ten seconds. Quiet for
// work that ends within a second. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace understudy {

// How far some work is.
struct ProgressFacts {
  std::string what;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  std::string unit;
  double elapsed_s = 0;
  std::string note;

  [[nodiscard]] double rate() const;                   // per second
  [[nodiscard]] std::optional<double> left_s() const;  // nothing where it cannot be told
};

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

// Draws the line on a terminal (adapters/terminal); without one it is plain text. Set before any
// work begins.
using ProgressPainter = std::function<std::string(const ProgressFacts&)>;
void set_progress_painter(ProgressPainter painter);

std::string duration_text(double seconds);  // "45s", "3m05s", "2h10m"

}  // namespace understudy
