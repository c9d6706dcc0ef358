// The grammar of the command line: global options, then one verb with its own. Parsing picks a
// verb's action; run() executes it. Options of a verb may also stand in HOME/understudy.toml under
// [VERB].
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "adapters/store/home.hpp"
#include "base/result.hpp"

namespace understudy::apps {

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Nothing when there is something to run; else the exit code (help and version: 0, wrong usage:
  // 2).
  std::optional<int> parse(int argc, char** argv);
  Status run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::apps
