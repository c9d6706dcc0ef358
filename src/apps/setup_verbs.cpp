// `understudy init` and `understudy doctor`.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "apps/doctor.hpp"
#include "apps/new_config.hpp"
#include "apps/show.hpp"
#include "apps/verbs.hpp"
#include "base/files.hpp"
#include "console/key_jobs.hpp"

namespace understudy::apps {

namespace {

using store::Home;

struct InitWords {
  NewConfig config{.upstream = {}, .key_env = {}, .listen = {}};
  bool print_only = false;
  bool as_json = false;
};

// One question with its usual answer; the usual one where nobody can be asked.
std::string ask(const std::string& question, const std::string& usual) {
  if (::isatty(STDIN_FILENO) == 0) return usual;
  std::cerr << question << (usual.empty() ? ": " : " [" + usual + "]: ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer.empty() ? usual : answer;
}

Status fill_in(NewConfig& config) {
  if (config.upstream.empty()) {
    if (::isatty(STDIN_FILENO) == 0) {
      return fail(ErrorCode::invalid_input, "which LLM? --upstream is missing",
                  "understudy init --upstream https://api.example.com/v1");
    }
    config.upstream = ask("1. The LLM's base URL", NewConfig().upstream);
    config.key_env = ask("2. Environment variable with its key (empty: the agents send their own)",
                         config.key_env);
    if (config.listen.empty())
      config.listen = ask("3. Where agents reach the gateway", NewConfig().listen);
  }
  if (config.listen.empty()) config.listen = NewConfig().listen;
  return {};
}

Status init(const Home& home, InitWords words) {
  TRY(fill_in(words.config));
  const std::string text = TRY(render_new_config(words.config));
  if (words.print_only) {
    print(text);
    return {};
  }
  const auto file = home.directory() / "understudy.toml";
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return fail(ErrorCode::conflict, file.string() + " is there already",
                "edit it, or move it away; `understudy init --print` shows a new one");
  }
  // Keys first: a configuration without them would record nothing.
  const bool has_keys = std::filesystem::exists(home.keys() / "curator.pub", error);
  if (!has_keys) TRY(console::init_keys(home));
  TRY(write_file_atomically(file, text));
  const json::object made{{"config", file.string()},
                          {"keys", home.keys().string()},
                          {"keys_made", !has_keys},
                          {"listen", words.config.listen},
                          {"upstream", words.config.upstream}};
  return show(json::value(made), words.as_json, [](const json::value& result) {
    const bool fresh = json::find_bool(result, "keys_made").value_or(false);
    return "wrote " + json::string_or(result, "config") + "\n" +
           (fresh ? "made the keys in " : "kept the keys in ") + json::string_or(result, "keys") +
           "\n\nnext:\n  understudy up" +
           "                   the gateway and the console, until Ctrl-C\n  base_url = http://" +
           json::string_or(result, "listen") + "/v1   for your agent\n";
  });
}

std::string render_findings(const json::value& result) {
  const bool colours = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  const auto painted = [colours](const char* code, const std::string& text) {
    return colours ? "\x1b[" + std::string(code) + "m" + text + "\x1b[0m" : text;
  };
  std::string out;
  for (const json::value& finding : *json::find_array(result, "findings")) {
    const std::string health = json::string_or(finding, "health");
    const std::string mark = health == "ok"     ? painted("32", "ok     ")
                             : health == "note" ? painted("33", "note   ")
                                                : painted("31", "PROBLEM");
    out += mark + "  " + json::string_or(finding, "check") + ": " +
           json::string_or(finding, "finding") + "\n";
    if (const std::string remedy = json::string_or(finding, "remedy"); !remedy.empty())
      out += "         -> " + remedy + "\n";
  }
  return out + (json::find_bool(result, "sound").value_or(false)
                    ? "nothing is in the way\n"
                    : "put the problems right, then run it again\n");
}

}  // namespace

void add_setup_verbs(CLI::App& app, Action& action) {
  const auto words = std::make_shared<InitWords>();  // shared with the action
  CLI::App* verb = app.add_subcommand(
      "init", "begin: asks for the LLM's address, writes understudy.toml, makes the keys");
  verb->add_option("--upstream", words->config.upstream, "base URL of the LLM's API");
  verb->add_option("--key-env", words->config.key_env,
                   "environment variable with the API's key (default: the agents send their own)");
  verb->add_option("--listen", words->config.listen,
                   "HOST:PORT of the gateway (default: 127.0.0.1:8080)");
  verb->add_flag("--print", words->print_only, "print the configuration, write nothing");
  verb->add_flag("--json", words->as_json, "print the result as JSON");
  verb->callback(
      [&action, words] { action = [words](const Home& home) { return init(home, *words); }; });

  struct DoctorWords {
    bool as_json = false;
    bool offline = false;
  };
  const auto doctor = std::make_shared<DoctorWords>();  // shared with the action
  verb = app.add_subcommand("doctor", "look for what is wrong, with a remedy for each finding");
  verb->add_flag("--json", doctor->as_json, "print the result as JSON");
  verb->add_flag("--offline", doctor->offline, "ask no upstream");
  verb->callback([&action, doctor] {
    action = [doctor](const Home& home) -> Status {
      const json::value found =
          to_json(examine(home, doctor->offline ? Reach::offline : Reach::network));
      TRY(show(Result<json::value>(found), doctor->as_json, render_findings));
      if (json::find_bool(found, "sound").value_or(false)) return {};
      return fail(ErrorCode::internal, "something is in the way; see above");
    };
  });
}

}  // namespace understudy::apps
