#include "apps/doctor.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <format>

#include "adapters/crypto/role_keys.hpp"
#include "adapters/net/http_server.hpp"
#include "adapters/net/upstream.hpp"
#include "adapters/store/access_store.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "apps/render.hpp"
#include "base/installation.hpp"
#include "base/own_library.hpp"
#include "console/log_jobs.hpp"
#include "console/model_jobs.hpp"
#include "live/config/gateway_config.hpp"

namespace understudy::apps {

namespace {

namespace fs = std::filesystem;
using store::Home;

constexpr double gib = 1024.0 * 1024 * 1024;
constexpr double free_gib_min = 2;
constexpr double memory_gib_min = 2;
constexpr std::chrono::seconds reach_timeout{4};

class Findings {
 public:
  void ok(std::string check, std::string finding) {
    all.push_back({std::move(check), Health::ok, std::move(finding), {}});
  }
  void note(std::string check, std::string finding, std::string remedy) {
    all.push_back({std::move(check), Health::note, std::move(finding), std::move(remedy)});
  }
  void problem(std::string check, std::string finding, std::string remedy) {
    all.push_back({std::move(check), Health::problem, std::move(finding), std::move(remedy)});
  }
  void problem(std::string check, const Error& error) {
    problem(std::move(check), error.message, error.hint);
  }
  std::vector<Finding> all;
};

// Beside our own programs, as in the portable archive, or along the PATH.
bool is_installed(std::string_view program) {
  if (find_program(program) != fs::path(program)) return true;
  const char* variable = std::getenv("PATH");
  std::string_view path = variable != nullptr ? variable : "/usr/bin:/bin";
  while (!path.empty()) {
    const std::string_view folder = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(folder.size() + 1, path.size()));
    if (::access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

void look_at_programs(Findings& findings) {
  bool whole = true;
  for (const char* name : {"understudy-serve", "understudy-train"}) {
    const fs::path program = program_directory() / name;
    if (::access(program.c_str(), X_OK) == 0) continue;
    whole = false;
    findings.problem("programs", program.string() + " is missing or cannot be run",
                     "install all files of one version together");
  }
  for (const char* file : {"understudy-models.so", "understudy-parquet.so"}) {
    if (const auto found = find_in_own_library(file, "understudy_library_version"); !found) {
      whole = false;
      findings.problem("programs", found.error());
    }
  }
  if (whole) findings.ok("programs", "all of version " UNDERSTUDY_VERSION);
  if (!is_installed("llama-server")) {
    findings.note("llama-server", "not installed: nano models cannot answer",
                  "install llama.cpp (Debian: llama.cpp-tools); classifiers work without it");
  }
  if (!is_installed("weasyprint")) {
    findings.note("weasyprint", "not installed: `understudy report --pdf` cannot write PDF",
                  "install weasyprint, or print the HTML page from a browser");
  }
}

void look_at_machine(const Home& home, Reach reach, Findings& findings) {
  const bool glances = reach == Reach::glance;
  const auto machine = glances ? console::show_machine(home) : console::probe_machine(home);
  if (!machine) return findings.note("machine", machine.error().message, machine.error().hint);
  const std::string facts = render_machine(*machine);
  if (json::find_number(*machine, "memory_available_bytes").value_or(0) < memory_gib_min * gib) {
    findings.note("machine", facts,
                  "training a nano model wants about 2 GiB; classifiers train in far less");
  } else if (!glances && !json::find(*machine, "multiply_flops")) {
    findings.note("machine", facts + "; its speed could not be measured",
                  "install llama.cpp's CPU back ends, then `understudy models measure`");
  } else {
    findings.ok("machine", facts);
  }
}

void look_at_home(const Home& home, Findings& findings) {
  const std::string path = home.directory().string();
  struct stat facts{};
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    return findings.problem("home", path + " cannot be written",
                            "give the directory to this user, or another one with --home");
  }
  struct statvfs disk{};
  const bool known = ::statvfs(path.c_str(), &disk) == 0;
  const double free =
      known ? static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize) / gib : 0;
  if (known && free < free_gib_min) {
    findings.problem("home", std::format("{}: only {:.1f} GiB are free on its disk", path, free),
                     "make room, or set capture.retention_days in understudy.toml");
  } else if (::stat(path.c_str(), &facts) == 0 && (facts.st_mode & 077U) != 0) {
    findings.note("home", path + " can be entered by other users", "chmod 700 " + path);
  } else {
    findings.ok("home", std::format("{}, {:.0f} GiB free on its disk", path, free));
  }
}

void look_at_keys(const Home& home, Findings& findings) {
  const auto keys = crypto::list_keys(home.keys());
  std::string open;
  bool any = false;
  bool private_only = true;
  for (const crypto::KeyInfo& key : keys) {
    any = any || key.has_public;
    if (!key.has_secret) continue;
    struct stat facts{};
    const fs::path file = home.keys() / (key.name + ".key");
    if (::stat(file.c_str(), &facts) == 0 && (facts.st_mode & 077U) != 0) {
      private_only = false;
      findings.problem("keys", file.string() + " can be read by other users",
                       "chmod 600 " + file.string());
    }
    if (!key.is_protected) open += (open.empty() ? "" : ", ") + key.name;
  }
  if (!any)
    return findings.problem("keys", "there are none: nothing can be recorded", "understudy init");
  if (!private_only) return;
  findings.ok("keys",
              open.empty() ? "the public ones are here" : "open without a passphrase: " + open);
}

// The configuration, if there is one that holds.
std::optional<live::GatewayConfig> look_at_config(const Home& home, Findings& findings) {
  const fs::path file = home.directory() / "understudy.toml";
  std::error_code error;
  if (!fs::exists(file, error)) {
    findings.note("configuration", "there is no " + file.string(),
                  "understudy init, or give `understudy serve` its --upstream");
    return std::nullopt;
  }
  auto config = live::load_config(file);
  if (!config) {
    findings.problem("configuration", config.error());
    return std::nullopt;
  }
  findings.ok("configuration",
              std::format("{}: {} upstream{}", file.string(), config->upstreams.size(),
                          config->upstreams.size() == 1 ? "" : "s"));
  if (config->keys_required()) {
    const auto list = store::load_access(home, store::SignatureRule::optional);
    if (list && list->keys.empty()) {
      findings.problem("access", "callers need a virtual key, and there is none",
                       "understudy access add --name agents");
    }
  }
  return std::move(*config);
}

net::Async<Result<unsigned>> status_of(net::Upstream& upstream, std::string path,
                                       net::Headers headers) {
  const net::Deadlines deadlines{.connect = reach_timeout,
                                 .first_byte = reach_timeout,
                                 .idle = reach_timeout,
                                 .total = 2 * reach_timeout};
  net::UpstreamCall call(upstream, deadlines);
  const auto sent = co_await call.send("GET", path, headers, {});
  if (!sent) co_return fail(sent.error());
  const unsigned status = call.status();
  call.cancel();
  co_return status;
}

Result<unsigned> ask(const std::string& url, const std::string& ca_file, const std::string& path,
                     const SecretText& key) {
  const auto upstream = TRY(net::Upstream::create(url, {.ca_file = ca_file}));
  net::Headers headers;
  if (!key.empty()) {
    headers.add("Authorization", "Bearer " + key.reveal());
    headers.add("x-api-key", key.reveal());
    headers.add("anthropic-version", "2023-06-01");
  }
  return net::run_async(status_of(*upstream, path, std::move(headers)));
}

void look_at_upstreams(const live::GatewayConfig& config, Findings& findings) {
  for (const live::UpstreamConfig& upstream : config.upstreams) {
    const std::string check = "upstream " + upstream.name;
    const auto key = live::upstream_key(upstream);
    if (!key) {
      findings.problem(check, key.error());
      continue;
    }
    const auto status = ask(upstream.url, upstream.ca_file.string(), "/v1/models", *key);
    if (!status) {
      findings.problem(check, status.error().message,
                       "is the address right? Proxies come from https_proxy and no_proxy");
    } else if ((*status == 401 || *status == 403) && upstream.has_own_key()) {
      findings.problem(
          check, upstream.url + " refuses the key that is configured",
          "put the right key into " + (upstream.api_key_env.empty() ? upstream.api_key_file.string()
                                                                    : "$" + upstream.api_key_env));
    } else if (*status >= 500) {
      findings.note(check, std::format("{} answers {}", upstream.url, *status), "try again later");
    } else {
      findings.ok(check, upstream.url + " answers");
    }
  }
}

void look_at_port(const live::GatewayConfig& config, Findings& findings) {
  if (config.listen.port == 0) return;
  const std::string where = config.listen.to_text();
  const auto server =
      net::HttpServer::create({.host = config.listen.host, .port = config.listen.port},
                              [](net::Exchange&) -> net::Async<void> { co_return; });
  if (server) return findings.ok("port", where + " is free");
  // Our own gateway may have it already.
  const auto status = ask((config.tls.on() ? "https://" : "http://") + where, "", "/health", {});
  if (status && *status == 200) return findings.ok("port", where + ": a gateway is running");
  findings.problem("port", server.error());
}

void look_at_log(const Result<json::value>& log, Findings& findings) {
  if (!log) {
    findings.note("log", log.error().message, log.error().hint);
  } else {
    const json::array* corrupt = json::find_array(*log, "corrupt");
    if (corrupt != nullptr && !corrupt->empty()) {
      findings.problem("log", json::to_text(corrupt->front()),
                       "`understudy log verify` looks at every byte; restore the segment");
    } else {
      findings.ok("log", std::to_string(json::find_integer(*log, "calls").value_or(0)) + " calls");
    }
  }
}

void look_at_records(const Home& home, Findings& findings) {
  if (const auto access = store::load_access(home, store::SignatureRule::optional); !access)
    findings.problem("access", access.error());
  if (fs::exists(home.metadata())) {
    if (const auto metadata = store::Metadata::open(home); !metadata)
      findings.problem("metadata", metadata.error());
  }
  const auto policy = store::load_current_policy(home);
  if (!policy) return findings.problem("policy", policy.error());
  bool whole = true;
  for (const TaskPolicy& task : policy->tasks) {
    const fs::path artifact = home.artifacts() / task.artifact.value;
    if (task.mode == RouteMode::off || fs::is_directory(artifact)) continue;
    whole = false;
    findings.problem("policy", "the model of task " + task.task.value + " is gone",
                     "understudy rollback " + task.task.value + ", or copy " + artifact.string());
  }
  if (whole) findings.ok("policy", std::format("version {}", policy->version));
}

}  // namespace

std::vector<Finding> examine(const store::Home& home, Reach reach, const Result<json::value>* log) {
  Findings findings;
  look_at_programs(findings);
  look_at_machine(home, reach, findings);
  look_at_home(home, findings);
  look_at_keys(home, findings);
  const auto config = look_at_config(home, findings);
  if (config) {
    look_at_port(*config, findings);
    if (reach == Reach::network) look_at_upstreams(*config, findings);
  }
  look_at_log(log != nullptr ? *log : console::log_statistics(home), findings);
  look_at_records(home, findings);
  return std::move(findings.all);
}

json::value to_json(const std::vector<Finding>& findings) {
  json::array all;
  bool sound = true;
  for (const Finding& finding : findings) {
    constexpr std::array<std::string_view, 3> names = {"ok", "note", "problem"};
    sound = sound && finding.health != Health::problem;
    all.push_back(json::object{{"check", finding.check},
                               {"health", names[static_cast<std::size_t>(finding.health)]},
                               {"finding", finding.finding},
                               {"remedy", finding.remedy}});
  }
  return json::object{{"sound", sound}, {"findings", std::move(all)}};
}

}  // namespace understudy::apps
