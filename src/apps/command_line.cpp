#include "apps/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "apps/examples.hpp"
#include "apps/help_format.hpp"
#include "apps/refuse_nan.hpp"
#include "apps/toml_options.hpp"
#include "base/exit_code.hpp"
#include "base/json.hpp"
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

// Whether the answer is wanted as JSON: what went wrong is then said as JSON, too. Asked of the
// words themselves, because the wrong ones have to be answered as well.
bool wants_json(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc,
                     [](const char* word) { return std::string_view(word) == "--json"; });
}

enum class ErrorForm { text, json };

// On stderr, where errors go in every form: stdout holds results only.
void complain(const Error& error, std::string_view code, int exit_code, ErrorForm form) {
  if (form == ErrorForm::text) {
    std::fprintf(stderr, "understudy: %s\n", error.to_text().c_str());
    return;
  }
  const json::object told{{"error",
                           {{"code", code},
                            {"exit_code", exit_code},
                            {"message", error.message},
                            {"hint", error.hint}}}};
  std::fprintf(stderr, "%s\n", json::to_text(told).c_str());
}

void complain_of_usage(std::string message, std::string hint, ErrorForm form) {
  complain(
      {.code = ErrorCode::invalid_input, .message = std::move(message), .hint = std::move(hint)},
      "usage", exit_usage, form);
}

std::vector<std::string> names_of_verbs(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

// Where the usage of what was parsed so far stands.
std::string help_hint(const CLI::App& app) {
  std::string words = "understudy";
  const CLI::App* at = &app;
  for (auto inner = at->get_subcommands(); !inner.empty(); inner = at->get_subcommands()) {
    at = inner.front();
    words += " " + at->get_name();
  }
  return "`" + words + " --help` says what it takes";
}

// A verb's action, or the exit code where there is nothing to run: help and version 0, wrong
// usage 2.
std::optional<int> parse(CLI::App& app, int argc, char** argv, ErrorForm form) {
  try {
    app.parse(argc, argv);
    refuse_nan(app);
  } catch (const CLI::RequiredError& error) {
    // CLI11 misses the verb before it looks at the word that stands in its place.
    const auto words = app.remaining(true);
    if (!words.empty() && app.get_subcommands().empty()) {
      const std::vector<std::string> verbs = names_of_verbs(app);
      const std::string near(nearest(words.front(), verbs));
      complain_of_usage("no such verb: " + words.front(),
                        (near.empty() ? "" : "did you mean `understudy " + near + "`?\n  ") +
                            "`understudy --help` lists them",
                        form);
    } else {
      complain_of_usage(error.what(), help_hint(app), form);
    }
    return exit_usage;
  } catch (const CLI::RuntimeError& error) {  // a verb that ran while it was parsed
    return error.get_exit_code();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // help or the version
      app.exit(error);
      return exit_ok;
    }
    complain_of_usage(error.what(), help_hint(app), form);
    return exit_usage;
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
  const ErrorForm form = wants_json(argc, argv) ? ErrorForm::json : ErrorForm::text;
  if (const auto exit_code = parse(app, argc, argv, form)) return *exit_code;
  set_progress_shown(!quiet);
  const Status status = run(action, home);
  if (status) return exit_ok;
  const Error& error = status.error();
  const int exit_code = exit_code_of(error.code);
  complain(error, to_string(error.code), exit_code, form);
  return exit_code;
}

}  // namespace understudy::apps
