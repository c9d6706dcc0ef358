#include "apps/command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "apps/examples.hpp"
#include "apps/help_format.hpp"
#include "apps/toml_options.hpp"
#include "base/exit_code.hpp"
#include "base/nearest_word.hpp"
#include "base/progress.hpp"

namespace understudy::apps {

namespace {

constexpr const char* description =
    R"(Understudy lets small models take over the LLM calls that they have proven they can do.

See it work, on simulated agents:
  understudy demo

A first run, with your agent's calls:
  understudy init                                            asks for the LLM's address, makes keys
  understudy up                                              the gateway and the console
  understudy curate && understudy cluster && understudy tasks
  understudy select TASK; understudy tune TASK --candidate classifier
  understudy evaluate TASK && understudy promote TASK
  understudy report)";

constexpr const char* footer =
    R"(HOME/understudy.toml configures the gateway (examples/understudy.toml shows all of it), and may
hold options of other verbs under [VERB]:
  [[upstream]]
  url = "https://api.example.com/v1"
  [tune]
  max-minutes = 5

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

std::vector<std::string> names_of_verbs(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

// A verb's action, or the exit code where there is nothing to run: help and version 0, wrong
// usage 2.
std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // CLI11 misses the verb before it looks at the word that stands in its place.
    const auto words = app.remaining(true);
    if (!words.empty() && app.get_subcommands().empty()) {
      const std::vector<std::string> verbs = names_of_verbs(app);
      const std::string near(nearest(words.front(), verbs));
      std::fprintf(stderr, "understudy: no such verb: %s\n", words.front().c_str());
      if (!near.empty()) std::fprintf(stderr, "  did you mean `understudy %s`?\n", near.c_str());
      std::fprintf(stderr, "  `understudy --help` lists them\n");
    } else {
      app.exit(error);
    }
    return exit_usage;
  } catch (const CLI::RuntimeError& error) {  // a verb that ran while it was parsed
    return error.get_exit_code();
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? exit_ok : exit_usage;
  }
  return std::nullopt;
}

Status run(const Action& action, const std::filesystem::path& home_directory) {
  const auto home = TRY(store::Home::open(home_directory));
  return action(home);
}

}  // namespace

int run_command_line(int argc, char** argv, AddVerbs add_verbs) {
  CLI::App app{description, "understudy"};
  std::filesystem::path home = home_of(argc, argv);
  bool quiet = false;
  Action action;
  app.formatter(std::make_shared<HelpFormat>());  // before the verbs, which take it over
  app.footer(footer);
  app.get_formatter()->enable_description_formatting(false);  // the examples keep their lines
  app.get_formatter()->enable_footer_formatting(false);
  app.require_subcommand(1);
  app.set_version_flag("--version", "understudy " UNDERSTUDY_VERSION);
  app.add_option(
      "--home", home,
      "where all state lives (default: $UNDERSTUDY_HOME, else ~/.local/share/understudy)");
  app.add_flag("--quiet", quiet, "no progress on stderr");
  add_verbs(app, action);
  add_examples(app);
  app.config_formatter(std::make_shared<TomlOptions>(verb_names(app)));
  app.set_config("--config", (home / "understudy.toml").string(),
                 "read options from this file (default: HOME/understudy.toml)");
  if (const auto exit_code = parse(app, argc, argv)) return *exit_code;
  set_progress_shown(!quiet);
  const Status status = run(action, home);
  if (status) return exit_ok;
  std::fprintf(stderr, "understudy: %s\n", status.error().to_text().c_str());
  return exit_code_of(status.error().code);
}

}  // namespace understudy::apps
