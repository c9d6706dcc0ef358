// `understudy console` and `understudy up`: the control plane in a browser, alone or with the
// gateway.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/crypto/passphrase.hpp"
#include "adapters/crypto/role_keys.hpp"
#include "apps/show.hpp"
#include "apps/verbs.hpp"
#include "base/exit_code.hpp"
#include "base/files.hpp"
#include "base/installation.hpp"
#include "base/run_program.hpp"
#include "console/web/console_server.hpp"
#include "live/config/gateway_config.hpp"

extern char** environ;

namespace understudy::apps {

namespace {

using store::Home;

constexpr const char* default_listen = "127.0.0.1:8090";

struct ConsoleWords {
  std::string listen = default_listen;
  std::string certificate;
  std::string key;
  std::vector<std::string> host_names;
  std::filesystem::path port_file;
  std::filesystem::path url_file;
  bool allow_plain_http = false;
  bool refine = false;
  double refine_minutes = 15;
  bool as_json = false;
};

json::value describe_gateway(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return nullptr;
  const auto config = live::load_config(file);
  if (!config) return json::object{{"file", file.string()}, {"problem", config.error().message}};
  json::array upstreams;
  for (const live::UpstreamConfig& upstream : config->upstreams) {
    upstreams.push_back(json::object{{"name", upstream.name},
                                     {"url", upstream.url},
                                     {"protocol", to_string(upstream.protocol)},
                                     {"own_key", upstream.has_own_key()}});
  }
  json::array models;
  for (const live::ModelConfig& model : config->models) models.emplace_back(model.name);
  return json::object{{"file", file.string()},
                      {"listen", config->listen.to_text()},
                      {"tls", config->tls.on()},
                      {"upstreams", std::move(upstreams)},
                      {"models", std::move(models)},
                      {"capture", to_string(config->capture.mode)},
                      {"retention_days", config->capture.retention_days},
                      {"keys_required", config->keys_required()}};
}

// What one turn may do stands under [refine] of understudy.toml, as for the verb.
std::optional<console::RefineDaemonOptions> refine_of(const Home& home, const ConsoleWords& words) {
  if (!words.refine) return std::nullopt;
  constexpr double seconds_per_minute = 60;
  return console::RefineDaemonOptions{
      .home = home,
      .turn = {(program_directory() / "understudy-control").string(), "--home",
               home.directory().string(), "refine", "--json"},
      .pace = {.interval = std::chrono::seconds(
                   static_cast<std::int64_t>(words.refine_minutes * seconds_per_minute))}};
}

Result<console::ConsoleOptions> options_of(const Home& home, const ConsoleWords& words) {
  const auto endpoint = live::parse_endpoint(words.listen);
  if (!endpoint) return fail(endpoint.error().within("--listen"));
  if (words.certificate.empty() != words.key.empty())
    return fail(ErrorCode::invalid_input, "--certificate and --key go together");
  if (!endpoint->loopback() && words.certificate.empty() && !words.allow_plain_http) {
    return fail(ErrorCode::invalid_input,
                "the console would send tokens over the network in the clear",
                "listen on 127.0.0.1, give --certificate and --key, or say --allow-plain-http "
                "where something else encrypts");
  }
  return console::ConsoleOptions{
      .home = home,
      .host = endpoint->host,
      .port = endpoint->port,
      .tls = {.certificate = words.certificate, .key = words.key},
      .version = UNDERSTUDY_VERSION,
      .describe_gateway = [file = home.directory() /
                                  "understudy.toml"] { return describe_gateway(file); },
      .refine = refine_of(home, words),
      .host_names = words.host_names};
}

std::string passphrase_variable(std::string_view role) {
  std::string name = "UNDERSTUDY_PASSPHRASE_";
  for (const char letter : role) name += static_cast<char>(letter - 'a' + 'A');
  return name;
}

// Passphrases are asked for once, before the first page wants a key, and kept where the keys'
// readers look: in this process's environment (not in /proc, which shows the first one only). A key
// that stays locked is not asked for again: what needs it says so.
void unlock_keys(const Home& home) {
  for (const crypto::KeyInfo& key : crypto::list_keys(home.keys())) {
    const auto role = crypto::parse_role(key.name);
    if (!role || !key.is_protected || !key.has_secret) continue;
    const std::string variable = passphrase_variable(key.name);
    if (const auto passphrase = crypto::ask_passphrase(key.name))
      ::setenv(variable.c_str(), passphrase->reveal().c_str(), 1);
    if (const auto opened = crypto::load_secret_key(home.keys(), *role); !opened) {
      std::fprintf(stderr, "The key of %s stays locked: %s\n", key.name.c_str(),
                   opened.error().message.c_str());
      ::setenv(variable.c_str(), "locked", 1);
    }
  }
}

// The owner's address goes to the terminal, and to a file of mode 0600 where one is asked for.
Result<std::unique_ptr<console::ConsoleServer>> open_console(const Home& home,
                                                             const ConsoleWords& words) {
  auto options = TRY(options_of(home, words));
  unlock_keys(home);
  auto server = TRY(console::ConsoleServer::open(std::move(options)));
  if (!words.url_file.empty())
    TRY(write_file_atomically(words.url_file, server->owner_url() + "\n", FileMode::owner_only));
  // Last: whoever waits for it finds the rest.
  if (!words.port_file.empty())
    TRY(write_file_atomically(words.port_file, std::to_string(server->port()) + "\n"));
  if (words.as_json) {
    print(json::to_text(json::object{{"console", server->owner_url()}}) + "\n");
    std::fflush(stdout);
  }
  std::fprintf(stderr,
               "The console: %s\n  this address opens everything that the keys in %s open; it is "
               "valid until the console ends\n",
               server->owner_url().c_str(), home.keys().c_str());
  return server;
}

void add_console_options(CLI::App& verb, ConsoleWords& words, const char* listen_name) {
  verb.add_option(listen_name, words.listen, "HOST:PORT of the console; port 0 takes a free one")
      ->capture_default_str();
  verb.add_option("--certificate", words.certificate, "PEM, for https");
  verb.add_option("--key", words.key, "PEM, for https");
  verb.add_option("--host-name", words.host_names,
                  "another name that browsers reach the console by, behind a proxy");
  verb.add_flag("--allow-plain-http", words.allow_plain_http,
                "listen beyond this machine without TLS");
  verb.add_flag("--refine", words.refine,
                "turn the loop by itself: `understudy refine` when calls have come, a task was "
                "demoted or has drifted; [refine] of understudy.toml says what it may do");
  verb.add_option("--refine-minutes", words.refine_minutes,
                  "new calls alone are looked at no more often")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 100'000.0));
  verb.add_option("--url-file", words.url_file,
                  "write the owner's address here (mode 0600) once the console is open");
  verb.add_flag("--json", words.as_json, "print the addresses as JSON once they are open");
}

Status run_console(const Home& home, const ConsoleWords& words) {
  const auto server = TRY(open_console(home, words));
  server->stop_on_signals();
  server->run();
  return {};
}

// The gateway as a child that ends with this process, whatever ends it.
Result<pid_t> start_gateway(const Home& home, const std::vector<std::string>& serve_words) {
  // By way of the launcher, which has settings for it.
  std::vector<std::string> texts = {(program_directory() / "understudy").string(), "--home",
                                    home.directory().string(), "serve"};
  texts.insert(texts.end(), serve_words.begin(), serve_words.end());
  const std::vector<char*> words = pointers_for_exec(texts);
  // The gateway opens no secret key: it inherits no passphrase either.
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("UNDERSTUDY_PASSPHRASE_"))
      environment.push_back(*entry);
  environment.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail(ErrorCode::unavailable, "cannot start the gateway");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(exit_failure);
    ::execve(words[0], words.data(), environment.data());
    ::_exit(exit_failure);
  }
  return child;
}

// Ends the gateway with the console, and the console with the gateway.
Status run_both(const Home& home, const ConsoleWords& words,
                const std::vector<std::string>& serve_words) {
  const auto server = TRY(open_console(home, words));
  const pid_t gateway = TRY(start_gateway(home, serve_words));
  int outcome = 0;
  std::jthread watch([&] {
    while (::waitpid(gateway, &outcome, 0) < 0 && errno == EINTR) {
    }
    server->stop();
  });
  server->stop_on_signals();
  server->run();
  ::kill(gateway, SIGTERM);
  watch.join();
  if (WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0) return {};
  return fail(WIFEXITED(outcome) ? error_code_of(WEXITSTATUS(outcome)) : ErrorCode::internal,
              "the gateway ended, and the console with it",
              "its message stands above; `understudy doctor` looks for what is wrong");
}

struct UpWords {
  ConsoleWords console;
  std::string upstream;
  std::string upstream_key_env;
  std::string listen;
  std::string capture;
  std::string gateway_port_file;
};

std::vector<std::string> serve_words_of(const UpWords& words) {
  std::vector<std::string> out;
  const auto add = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out.insert(out.end(), {name, value});
  };
  add("--upstream", words.upstream);
  add("--upstream-key-env", words.upstream_key_env);
  add("--listen", words.listen);
  add("--capture", words.capture);
  add("--port-file", words.gateway_port_file);
  if (words.console.as_json) out.emplace_back("--json");
  return out;
}

void add_up(CLI::App& app, Action& action) {
  const auto words = std::make_shared<UpWords>();  // shared with the action
  CLI::App* verb = app.add_subcommand("up", "the gateway and the console together");
  verb->add_option("--upstream", words->upstream,
                   "base URL of the LLM API; stands for the configuration's [[upstream]]");
  verb->add_option("--upstream-key-env", words->upstream_key_env,
                   "environment variable with that upstream's API key");
  verb->add_option("--listen", words->listen, "HOST:PORT of the gateway (default: 127.0.0.1:8080)");
  verb->add_option("--capture", words->capture, "off, async or durable, as for `serve`");
  verb->add_option("--port-file", words->gateway_port_file,
                   "write the gateway's port here once it is open");
  verb->add_option("--console-port-file", words->console.port_file,
                   "write the console's port here once it is open");
  add_console_options(*verb, words->console, "--console");
  verb->callback([&action, words] {
    action = [words](const Home& home) {
      return run_both(home, words->console, serve_words_of(*words));
    };
  });
}

}  // namespace

void add_console_verbs(CLI::App& app, Action& action) {
  const auto words = std::make_shared<ConsoleWords>();  // shared with the action
  CLI::App* verb =
      app.add_subcommand("console", "the dashboard: what was recorded and learned, in a browser");
  add_console_options(*verb, *words, "--listen");
  verb->add_option("--port-file", words->port_file, "write the port here once it is open");
  verb->callback([&action, words] {
    action = [words](const Home& home) { return run_console(home, *words); };
  });
  add_up(app, action);
}

}  // namespace understudy::apps
