#include "adapters/terminal/live_screen.hpp"

#include <poll.h>
#include <unistd.h>

#include <condition_variable>
#include <format>
#include <ftxui/component/component.hpp>
#include <ftxui/component/event.hpp>
#include <ftxui/component/screen_interactive.hpp>
#include <ftxui/dom/elements.hpp>
#include <ftxui/dom/table.hpp>
#include <ftxui/screen/screen.hpp>
#include <mutex>
#include <stop_token>
#include <thread>

#include "adapters/terminal/plain.hpp"
#include "base/figures.hpp"

namespace understudy::terminal {

namespace {

using namespace ftxui;

constexpr int share_columns = 12;

Decorator painted(Tone tone) {
  switch (tone) {
    case Tone::good: return color(Color::Green);
    case Tone::warning: return color(Color::Yellow);
    case Tone::bad: return color(Color::Red) | bold;
    case Tone::plain: return nothing;
  }
  return nothing;
}

Element right(std::string words) { return hbox({filler(), text(std::move(words))}); }

// Rows of cells under a dim head, columns as wide as their widest cell.
Element table_of(std::vector<std::vector<Element>> rows) {
  Table table(std::move(rows));
  table.SelectAll().SeparatorVertical(LIGHT);
  table.SelectRow(0).Decorate(dim);
  return table.Render();
}

Element share_of(double share) {
  return hbox({text(std::format("{:5.1f} % ", 100 * share)),
               gauge(static_cast<float>(share)) | ftxui::size(WIDTH, EQUAL, share_columns) |
                   color(Color::Green)});
}

Element traffic_of(const LiveFacts& facts) {
  if (facts.traffic.empty()) return text("reading the log ...") | dim;
  std::vector<std::vector<Element>> rows;
  rows.push_back({text(""), right("calls"), text("by small models"), right("failed")});
  for (const LiveFacts::Traffic& span : facts.traffic) {
    const double share =
        span.calls == 0 ? 0 : static_cast<double>(span.by_slm) / static_cast<double>(span.calls);
    rows.push_back(
        {text(span.span), right(" " + thousands(span.calls)), share_of(share),
         right(thousands(span.failed)) | painted(span.failed > 0 ? Tone::warning : Tone::plain)});
  }
  return table_of(std::move(rows));
}

Element tasks_of(const LiveFacts& facts) {
  if (facts.tasks.empty()) return text("none was found yet") | dim;
  std::vector<std::vector<Element>> rows;
  rows.push_back(
      {text("task"), right("calls"), text("share"), text("mode"), text("evidence"), text("name")});
  for (const LiveFacts::TaskRow& task : facts.tasks) {
    const Decorator tone = painted(task.by_slm ? Tone::good : Tone::plain);
    rows.push_back({text(task.id), right(" " + thousands(task.calls)), share_of(task.share),
                    text(task.mode) | tone,
                    text(task.verdict.empty() ? "not measured" : task.verdict), text(task.name)});
  }
  return table_of(std::move(rows));
}

Element lines_of(const std::vector<LiveFacts::Line>& lines, const char* where_empty) {
  if (lines.empty()) return text(where_empty) | dim;
  Elements out;
  for (const LiveFacts::Line& line : lines) out.push_back(text(line.text) | painted(line.tone));
  return vbox(std::move(out));
}

Element box(const char* title, Element inner) {
  return window(text(std::string(" ") + title + " ") | bold, std::move(inner));
}

Element page(const LiveFacts& facts) {
  Elements next;
  for (const std::string& step : facts.next) next.push_back(text(step));
  return vbox({
      hbox({text(" " + facts.title) | bold, filler(), text(facts.clock + "   q quits ") | dim}),
      box("Traffic", traffic_of(facts)),
      box("Tasks", tasks_of(facts)) | yflex_shrink,
      box("Policies", lines_of(facts.policies, "the LLM answers everything")) | yflex_shrink,
      box("Health", lines_of(facts.health, "not looked at yet")),
      box("Next", vbox(std::move(next))),
      filler(),
  });
}

// Its window was closed, or the connection to it is lost: reading from it would never wait.
bool terminal_is_gone() {
  pollfd input{.fd = STDIN_FILENO, .events = 0, .revents = 0};
  return ::poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

}  // namespace

std::string draw(const LiveFacts& facts, int columns, int rows, Colours colours) {
  Screen screen = Screen::Create(Dimension::Fixed(columns), Dimension::Fixed(rows));
  Render(screen, drawn_in(colours, page(facts)));
  return screen.ToString();
}

void run_live_screen(const std::function<LiveFacts()>& read, std::chrono::milliseconds interval) {
  const Colours colours = wanted_colours();
  ScreenInteractive screen = ScreenInteractive::FullscreenAlternateScreen();
  screen.TrackMouse(false);
  std::mutex mutex;
  LiveFacts facts;
  std::condition_variable_any soon;
  const Component view = CatchEvent(Renderer([&] {
                                      const std::scoped_lock lock(mutex);
                                      return drawn_in(colours, page(facts));
                                    }),
                                    [&](const Event& event) {
                                      if (event != Event::Character('q') && event != Event::Escape)
                                        return false;
                                      screen.Exit();
                                      return true;
                                    });
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (terminal_is_gone()) return screen.Exit();
      LiveFacts fresh = read();
      std::unique_lock lock(mutex);
      facts = std::move(fresh);
      screen.PostEvent(Event::Custom);
      soon.wait_for(lock, stop, interval, [] { return false; });
    }
  });
  screen.Loop(view);
}

}  // namespace understudy::terminal
