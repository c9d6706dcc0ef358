#include "base/progress.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <format>
#include <mutex>
#include <utility>

#include "base/clock.hpp"

namespace understudy {

namespace {

std::atomic<bool> progress_shown{true};

constexpr double first_after_s = 1.0;
constexpr double terminal_every_s = 0.2;
constexpr double plain_every_s = 10.0;

ProgressPainter& painter() {
  static ProgressPainter set;
  return set;
}

std::string plain_line(const ProgressFacts& facts) {
  std::string line = facts.what + ": " + std::to_string(facts.done);
  if (facts.total > 0) line += "/" + std::to_string(facts.total);
  line += std::format(" {}, {:.{}f}/s", facts.unit, facts.rate(), facts.rate() < 10 ? 1 : 0);
  if (const auto left = facts.left_s()) line += ", " + duration_text(*left) + " left";
  return facts.note.empty() ? line : line + ", " + facts.note;
}

}  // namespace

double ProgressFacts::rate() const {
  return elapsed_s > 0 ? static_cast<double>(done) / elapsed_s : 0;
}

std::optional<double> ProgressFacts::left_s() const {
  if (total <= done || rate() <= 0) return std::nullopt;
  return static_cast<double>(total - done) / rate();
}

std::string duration_text(double seconds) {
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

struct Progress::State {
  ProgressFacts facts;
  bool terminal = isatty(STDERR_FILENO) == 1;
  std::mutex mutex;
  Stopwatch watch;
  double shown_at_s = 0;
  bool shown = false;

  void show() {
    facts.elapsed_s = watch.elapsed_s();
    const std::string line = terminal && painter() ? painter()(facts) : plain_line(facts);
    std::fprintf(stderr, terminal ? "\r%s\x1b[K" : "%s\n", line.c_str());
    std::fflush(stderr);
    shown_at_s = facts.elapsed_s;
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
  state_->facts.what = std::move(what);
  state_->facts.total = total;
  state_->facts.unit = std::move(unit);
}

Progress::~Progress() {
  if (state_->shown) {
    state_->show();
    if (state_->terminal) std::fputc('\n', stderr);
  }
}

void Progress::advance(std::uint64_t count) {
  const std::scoped_lock lock(state_->mutex);
  state_->facts.done += count;
  state_->maybe_show();
}

void Progress::note(std::string text) {
  const std::scoped_lock lock(state_->mutex);
  state_->facts.note = std::move(text);
}

void set_progress_shown(bool shown) { progress_shown = shown; }

void set_progress_painter(ProgressPainter fresh) { painter() = std::move(fresh); }

}  // namespace understudy
