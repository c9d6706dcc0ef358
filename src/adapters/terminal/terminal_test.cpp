#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ranges>

#include "adapters/terminal/colours.hpp"
#include "adapters/terminal/live_screen.hpp"
#include "adapters/terminal/progress_bar.hpp"

namespace understudy::terminal {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ProgressBar, SaysShareRateAndTimeLeft) {
  const std::string line = progress_bar(
      {.what = "curate", .done = 250, .total = 1000, .unit = "calls", .elapsed_s = 5, .note = ""},
      79, Colours::none);
  EXPECT_THAT(line, HasSubstr("curate"));
  EXPECT_THAT(line, HasSubstr(" 25 % 250/1000 calls, 50/s, 15s left"));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(line, Not(HasSubstr("\x1b[")));
  EXPECT_THAT(
      progress_bar({.what = "a", .done = 1, .total = 2, .unit = "b", .elapsed_s = 1, .note = ""},
                   60, Colours::some),
      HasSubstr("\x1b[32m"));
}

TEST(ProgressBar, WithoutATotalCountsAndDrawsNoBar) {
  EXPECT_THAT(progress_bar({.what = "import",
                            .done = 7,
                            .total = 0,
                            .unit = "calls",
                            .elapsed_s = 1,
                            .note = "x.jsonl"},
                           60, Colours::none),
              HasSubstr("import  7 calls, 7.0/s, x.jsonl"));
}

LiveFacts some_facts() {
  return {.title = "understudy /home/x",
          .clock = "10:30:00",
          .traffic = {{.span = "last hour", .calls = 1200, .by_slm = 300, .failed = 2}},
          .tasks = {{.id = "t-1",
                     .name = "intent",
                     .calls = 900,
                     .share = 0.4,
                     .mode = "active",
                     .verdict = "convert",
                     .by_slm = true}},
          .policies = {{.tone = Tone::good, .text = "t-1 active"}},
          .health = {{.tone = Tone::bad, .text = "PROBLEM port: taken"}},
          .next = {"understudy report"}};
}

TEST(LiveScreen, ShowsEveryPartOnOneScreen) {
  const std::string text = draw(some_facts(), 100, 30, Colours::none);
  for (const char* part :
       {"understudy /home/x", "10:30:00", "last hour", "1,200", "25.0 %", "t-1", "intent", "active",
        "convert", "PROBLEM port: taken", "understudy report"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_EQ(std::ranges::count(text, '\n'), 29);
  EXPECT_THAT(text, Not(HasSubstr("\x1b[")));
  EXPECT_THAT(draw(some_facts(), 100, 30, Colours::some), HasSubstr("\x1b[31m"));
}

TEST(LiveScreen, FitsASmallTerminalAndAHomeWithoutAnything) {
  const std::string small = draw(some_facts(), 40, 10, Colours::none);
  EXPECT_EQ(std::ranges::count(small, '\n'), 9);
  EXPECT_THAT(draw({}, 80, 24, Colours::none), HasSubstr("reading the log"));
}

TEST(Colours, NoColorAndDumbTerminalsGetNone) {
  ::setenv("TERM", "xterm-256color", 1);
  ::unsetenv("NO_COLOR");
  EXPECT_EQ(wanted_colours(), Colours::some);
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(wanted_colours(), Colours::none);
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "dumb", 1);
  EXPECT_EQ(wanted_colours(), Colours::none);
}

}  // namespace
}  // namespace understudy::terminal
