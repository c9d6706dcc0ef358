// `understudy demo`: the whole loop on SIMULATED agents and a SIMULATED LLM. What simulates them is
// a Python script, which is data of the installation (examples/): no part of the product is.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "apps/verb_builder.hpp"
#include "base/exit_code.hpp"
#include "base/installation.hpp"
#include "base/run_program.hpp"

namespace understudy::apps {

namespace {

constexpr const char* help =
    "the whole loop on SIMULATED agents and a SIMULATED LLM, in about two minutes\n\n"
    "Sends the calls of five scripted agents through a gateway, then curates, clusters, trains,\n"
    "proves and promotes, and sends fresh calls. The gateway, the log, the training, the proof "
    "and\n"
    "the small models are real. It keeps its home, so that you can look around:\n\n"
    "  understudy demo --directory /tmp/tour\n"
    "  understudy --home /tmp/tour status";

struct DemoOptions {
  std::string directory;
  std::string max_minutes;
  bool quick = false;
  bool as_json = false;
};

// Becomes the script. Comes back only with the reason why it could not.
int become_demo(const DemoOptions& options) {
  const std::string script = installed_data("examples/demo.py").string();
  const std::string program = (program_directory() / "understudy").string();
  const std::string python = find_program("python3").string();
  if (::access(script.c_str(), R_OK) != 0) {
    std::fprintf(stderr,
                 "understudy: the demo's script %s is not there: %s\n  install all files of one "
                 "version together\n",
                 script.c_str(), std::strerror(errno));
    return exit_not_found;
  }
  std::vector<std::string> words{python, script, "--program", program};
  if (!options.directory.empty()) words.insert(words.end(), {"--home", options.directory});
  if (!options.max_minutes.empty())
    words.insert(words.end(), {"--max-minutes", options.max_minutes});
  if (options.quick) words.emplace_back("--quick");
  if (options.as_json) words.emplace_back("--json");
  ::execvp(python.c_str(), pointers_for_exec(words).data());
  std::fprintf(stderr,
               "understudy: cannot run %s: %s\n  the demo's simulated agents need python3 and "
               "python3-aiohttp\n",
               python.c_str(), std::strerror(errno));
  return exit_unavailable;
}

}  // namespace

void add_demo_verb(CLI::App& app) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* verb = app.add_subcommand("demo", help);
  verb->add_option("--directory", options->directory,
                   "an empty directory for its home (default: a new one below /tmp)");
  verb->add_option("--max-minutes", options->max_minutes,
                   "of training per small transformer (default: 1.3)");
  verb->add_flag("--quick", options->quick, "closed-answer agents only, in well under a minute");
  verb->add_flag("--json", options->as_json, "print the result as JSON");
  // No action: it works in a home of its own and leaves --home alone.
  verb->callback([options] { throw CLI::RuntimeError(become_demo(*options)); });
}

}  // namespace understudy::apps
