// `understudy status --watch`: how things stand, until somebody stops it. A screen where stdin and
// stdout are a terminal, else a line for each change; with --json an object for each change. The
// log is read anew only when it has changed. Blocks; runs on the caller's thread and one of its
// own.
#pragma once

#include <chrono>

#include "adapters/store/home.hpp"
#include "base/result.hpp"

namespace understudy::apps {

enum class WatchForm { screen_or_lines, json };

struct WatchOptions {
  std::chrono::milliseconds every{2000};
  WatchForm form = WatchForm::screen_or_lines;
};

Status watch_status(const store::Home& home, const WatchOptions& options);

}  // namespace understudy::apps
