#include "base/progress.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>

#include "base/clock.hpp"

namespace understudy {

namespace {

std::atomic<bool> progress_shown{true};

constexpr double first_after_s = 1.0;
constexpr double terminal_every_s = 0.2;
constexpr double plain_every_s = 10.0;

std::string duration(double seconds) {
  char text[32];
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) {
    std::snprintf(text, sizeof text, "%lds", whole);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof text, "%ldm%02lds", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%ldh%02ldm", whole / 3600, whole % 3600 / 60);
  }
  return text;
}

}  // namespace

struct Progress::State {
  std::string what;
  std::uint64_t total;
  std::string unit;
  bool terminal = isatty(STDERR_FILENO) == 1;
  std::mutex mutex;
  std::uint64_t done = 0;
  std::string note;
  Stopwatch watch;
  double shown_at_s = 0;
  bool shown = false;

  void show() {
    const double elapsed_s = watch.elapsed_s();
    const double rate = elapsed_s > 0 ? static_cast<double>(done) / elapsed_s : 0;
    std::string line = what + ": " + std::to_string(done);
    if (total > 0) line += "/" + std::to_string(total);
    char rate_text[48];
    std::snprintf(rate_text, sizeof rate_text, " %s, %.*f/s", unit.c_str(), rate < 10 ? 1 : 0,
                  rate);
    line += rate_text;
    if (total > done && rate > 0) {
      line += ", " + duration(static_cast<double>(total - done) / rate) + " left";
    }
    if (!note.empty()) line += ", " + note;
    std::fprintf(stderr, terminal ? "\r\x1b[K%s" : "%s\n", line.c_str());
    std::fflush(stderr);
    shown_at_s = elapsed_s;
    shown = true;
  }

  void maybe_show() {
    if (!progress_shown) return;
    const double elapsed_s = watch.elapsed_s();
    if (elapsed_s < first_after_s) return;
    if (shown && elapsed_s - shown_at_s < (terminal ? terminal_every_s : plain_every_s)) return;
    if (!shown && !terminal && elapsed_s < plain_every_s) return;
    show();
  }
};

Progress::Progress(std::string what, std::uint64_t total, std::string unit)
    : state_(std::make_unique<State>()) {
  state_->what = std::move(what);
  state_->total = total;
  state_->unit = std::move(unit);
}

Progress::~Progress() {
  if (state_->shown) {
    state_->show();
    if (state_->terminal) std::fputc('\n', stderr);
  }
}

void Progress::advance(std::uint64_t count) {
  const std::scoped_lock lock(state_->mutex);
  state_->done += count;
  state_->maybe_show();
}

void Progress::note(std::string text) {
  const std::scoped_lock lock(state_->mutex);
  state_->note = std::move(text);
}

void set_progress_shown(bool shown) { progress_shown = shown; }

}  // namespace understudy
