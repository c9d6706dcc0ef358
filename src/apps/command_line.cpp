#include "apps/command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "apps/exit_code.hpp"
#include "apps/verbs.hpp"
#include "base/progress.hpp"

namespace understudy::apps {

namespace {

constexpr const char* description =
    R"(Understudy lets small models take over the LLM calls that they have proven they can do.

A first run, with your agent's calls:
  understudy keys init
  understudy serve --upstream https://api.example.com/v1     point the agent's base_url here
  understudy curate && understudy cluster && understudy tasks
  understudy select TASK; understudy tune TASK --candidate classifier
  understudy evaluate TASK && understudy promote TASK
  understudy report)";

constexpr const char* footer =
    R"(Options of a verb may also stand in HOME/understudy.toml, under [VERB]:
  [serve]
  upstream = "https://api.example.com/v1"

Exit codes: 0 ok, 1 failure, 2 wrong usage, 3 bad input, 4 denied or wrong key, 5 not found, 6 unavailable,
7 disk or limit exhausted, 8 corrupt data, 9 conflict, 130 interrupted.)";

std::filesystem::path default_home() {
  if (const char* home = std::getenv("UNDERSTUDY_HOME")) return home;
  if (const char* data = std::getenv("XDG_DATA_HOME"))
    return std::filesystem::path(data) / "understudy";
  const char* user = std::getenv("HOME");
  return std::filesystem::path(user != nullptr ? user : ".") / ".local/share/understudy";
}

// The configuration file lies in the home directory, so --home has to be known before the rest is
// parsed.
std::filesystem::path home_of(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--home" && i + 1 < argc) return argv[i + 1];
    if (word.starts_with("--home=")) return std::filesystem::path(word.substr(7));
    if (!word.starts_with("-")) break;
  }
  return default_home();
}

}  // namespace

struct CommandLine::State {
  CLI::App app{description, "understudy"};
  std::filesystem::path home;
  bool quiet = false;
  Action action;
};

CommandLine::CommandLine() : state_(std::make_unique<State>()) {}
CommandLine::~CommandLine() = default;

std::optional<int> CommandLine::parse(int argc, char** argv) {
  State& state = *state_;
  CLI::App& app = state.app;
  state.home = home_of(argc, argv);
  app.footer(footer);
  app.get_formatter()->enable_description_formatting(false);  // the examples keep their lines
  app.get_formatter()->enable_footer_formatting(false);
  app.require_subcommand(1);
  app.set_version_flag("--version", "understudy " UNDERSTUDY_VERSION);
  app.add_option(
      "--home", state.home,
      "where all state lives (default: $UNDERSTUDY_HOME, else ~/.local/share/understudy)");
  app.add_flag("--quiet", state.quiet, "no progress on stderr");
  const std::filesystem::path config = state.home / "understudy.toml";
  app.set_config("--config", config.string(),
                 "read options from this file (default: HOME/understudy.toml)");
  add_verbs(app, state.action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // CLI11 misses the verb before it looks at the word that stands in its place.
    const auto words = app.remaining(true);
    if (!words.empty() && app.get_subcommands().empty()) {
      std::fprintf(stderr, "understudy: no such verb: %s\n  `understudy --help` lists them\n",
                   words.front().c_str());
    } else {
      app.exit(error);
    }
    return exit_usage;
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? exit_ok : exit_usage;
  }
  set_progress_shown(!state.quiet);
  return std::nullopt;
}

Status CommandLine::run() {
  const auto home = TRY(store::Home::open(state_->home));
  return state_->action(home);
}

}  // namespace understudy::apps
