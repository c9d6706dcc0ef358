// One screen that shows how things stand and draws itself anew: traffic, tasks, health, what to do
// next (FTXUI, on the terminal's alternate screen). It knows nothing of where the facts come from:
// the caller reads them, on a thread of the screen's. Owner: a verb; run() blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adapters/terminal/colours.hpp"

namespace understudy::terminal {

enum class Tone { plain, good, warning, bad };

struct LiveFacts {
  struct Traffic {
    std::string span;  // "last hour"
    std::int64_t calls = 0;
    std::int64_t by_slm = 0;
    std::int64_t failed = 0;
  };
  struct TaskRow {
    std::string id;
    std::string name;
    std::int64_t calls = 0;
    double share = 0;
    std::string mode;     // of its route
    std::string verdict;  // of its newest evidence; empty: none
    bool by_slm = false;
  };
  struct Line {
    Tone tone = Tone::plain;
    std::string text;
  };
  std::string title;
  std::string clock;
  std::vector<Traffic> traffic;
  std::vector<TaskRow> tasks;
  std::vector<Line> policies;
  std::vector<Line> health;
  std::vector<std::string> next;
};

// The screen as text, `rows` lines; what does not fit is cut, the next steps last.
std::string draw(const LiveFacts& facts, int columns, int rows, Colours colours);

// Until q, Escape, Ctrl-C or SIGTERM, or until the terminal is gone; it is as before then. Needs a
// terminal on stdin and stdout.
void run_live_screen(const std::function<LiveFacts()>& read, std::chrono::milliseconds interval);

}  // namespace understudy::terminal
