#include "adapters/terminal/progress_bar.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <format>
#include <ftxui/dom/elements.hpp>
#include <ftxui/screen/screen.hpp>

#include "adapters/terminal/plain.hpp"

namespace understudy::terminal {

namespace {

constexpr int columns_usual = 80;
constexpr int columns_min = 20;
constexpr int bar_columns_max = 30;

int columns_of_stderr() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return columns_usual;
  return std::max<int>(size.ws_col, columns_min);
}

}  // namespace

std::string progress_bar(const ProgressFacts& facts, int columns, Colours colours) {
  using namespace ftxui;
  Elements parts = {text(facts.what + " ")};
  std::string figures = std::format(" {}", facts.done);
  if (facts.total > 0) {
    const double share =
        std::min(1.0, static_cast<double>(facts.done) / static_cast<double>(facts.total));
    parts.push_back(gauge(static_cast<float>(share)) | size(WIDTH, LESS_THAN, bar_columns_max) |
                    xflex_grow | color(Color::Green));
    figures = std::format(" {:3.0f} % {}/{}", 100 * share, facts.done, facts.total);
  }
  figures += std::format(" {}, {:.{}f}/s", facts.unit, facts.rate(), facts.rate() < 10 ? 1 : 0);
  if (const auto left = facts.left_s()) figures += ", " + duration_text(*left) + " left";
  parts.push_back(text(figures));
  if (!facts.note.empty()) parts.push_back(text(", " + facts.note) | dim);
  Screen screen = Screen::Create(Dimension::Fixed(columns), Dimension::Fixed(1));
  Render(screen, drawn_in(colours, hbox(std::move(parts))));
  return screen.ToString();
}

void show_progress_as_bar() {
  // One column is left free: a full line would wrap.
  set_progress_painter([colours = wanted_colours()](const ProgressFacts& facts) {
    return progress_bar(facts, columns_of_stderr() - 1, colours);
  });
}

}  // namespace understudy::terminal
