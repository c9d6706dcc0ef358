#include <unistd.h>

#include <algorithm>
#include <array>
#include <format>

#include "base/files.hpp"
#include "base/nearest_word.hpp"
#include "live/config/gateway_config.hpp"
#include "live/config/toml_reader.hpp"

namespace understudy::live {

namespace {

// Options of verbs that stand in the same file; the command line reads them (apps/command_line).
constexpr std::array command_tables = {
    "import",  "curate",   "scan",   "cluster", "tasks",  "select", "tune",   "export",  "evaluate",
    "promote", "rollback", "refine", "replay",  "report", "log",    "models", "console", "up"};

// Everything of one file that later checks need to point at.
struct Parse {
  GatewayConfig config;
  Problems problems;
  const ConfigOverrides& overrides;
  std::vector<const toml::table*> upstream_tables;
  std::vector<const toml::table*> model_tables;
};

bool is_header_name(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char c) {
    return c > 0x20 && c < 0x7f && !std::string_view("\"(),/:;<=>?@[\\]{}").contains(char(c));
  });
}

// What is wrong with the base URL of an upstream; empty: nothing.
std::string_view url_problem(std::string_view url) {
  if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else if (url.starts_with("https://")) {
    url.remove_prefix(8);
  } else {
    return "wants a URL such as \"https://api.example.com/v1\"";
  }
  const std::string_view authority = url.substr(0, url.find('/'));
  if (authority.empty() || authority.starts_with(':')) return "names no host";
  if (authority.contains('@')) return "holds credentials; name a variable with api_key_env instead";
  if (url.contains('?') || url.contains('#') || url.contains(' '))
    return "is a base URL: without '?', '#' and blanks";
  if (const std::size_t colon = authority.rfind(':');
      colon != std::string_view::npos && !authority.ends_with(']') &&
      !parse_endpoint("h" + std::string(authority.substr(colon))))
    return "has a port that is no number up to 65535";
  return {};
}

void read_endpoint(TableReader& reader, std::string_view key, Endpoint& value) {
  if (!reader.has(key)) return reader.allow(key);
  std::string text;
  reader.text(key, text);
  if (text.empty()) return;  // reported
  if (auto endpoint = parse_endpoint(text)) {
    value = std::move(*endpoint);
  } else {
    reader.problem(key, endpoint.error().message + "; " + endpoint.error().hint);
  }
}

void read_path(TableReader& reader, std::string_view key, std::filesystem::path& value) {
  std::string text;
  reader.text(key, text);
  if (!text.empty()) value = text;
}

void read_tls(TableReader& reader, TlsConfig& tls) {
  read_path(reader, "certificate", tls.certificate);
  read_path(reader, "key", tls.key);
  if (tls.certificate.empty() != tls.key.empty()) {
    reader.problem(tls.key.empty() ? "certificate" : "key",
                   "certificate and key (PEM files) go together");
  }
}

void read_upstream(const toml::table& table, Parse& parse) {
  TableReader reader(table, "upstream", parse.problems);
  UpstreamConfig upstream;
  reader.text("name", upstream.name);
  reader.text("url", upstream.url);
  if (!reader.has("url")) {
    reader.problem("url", "is missing; write url = \"https://api.example.com/v1\"");
  } else if (const auto problem = url_problem(upstream.url);
             !upstream.url.empty() && !problem.empty()) {
    reader.problem("url", problem);
  }
  if (const auto protocol = reader.choice("protocol", {"openai", "anthropic"}))
    upstream.protocol = *protocol == 0 ? Protocol::openai : Protocol::anthropic;
  reader.text("api_key_env", upstream.api_key_env);
  read_path(reader, "api_key_file", upstream.api_key_file);
  if (!upstream.api_key_env.empty() && !upstream.api_key_file.empty())
    reader.problem("api_key_file", "stands beside api_key_env; keep one of them");
  if (reader.has("api_key")) {
    reader.allow("api_key");
    reader.problem("api_key",
                   "secrets do not belong here; put it into an environment variable and "
                   "name that with api_key_env");
  }
  reader.duration("connect_timeout_ms", upstream.deadlines.connect);
  reader.duration("first_byte_timeout_ms", upstream.deadlines.first_byte);
  reader.duration("idle_timeout_ms", upstream.deadlines.idle);
  reader.duration("total_timeout_ms", upstream.deadlines.total);
  for (const auto& [key, value] : {std::pair{"connect_timeout_ms", upstream.deadlines.connect},
                                   {"first_byte_timeout_ms", upstream.deadlines.first_byte},
                                   {"idle_timeout_ms", upstream.deadlines.idle}}) {
    if (value.count() == 0) reader.problem(key, "wants at least 1; every wait has an end");
  }
  read_path(reader, "ca_file", upstream.ca_file);
  parse.config.upstreams.push_back(std::move(upstream));
}

// The upstream that the command line names, by its URL.
UpstreamConfig upstream_of(const ConfigOverrides& overrides) {
  return {
      .name = "default", .url = overrides.upstream_url, .api_key_env = overrides.upstream_key_env};
}

void read_upstreams(TableReader& reader, Parse& parse) {
  parse.upstream_tables = reader.tables("upstream");
  if (parse.upstream_tables.size() > limits::upstreams_max) {
    reader.problem("upstream", std::format("are more than {}", limits::upstreams_max));
    parse.upstream_tables.resize(limits::upstreams_max);
  }
  if (!parse.overrides.upstream_url.empty()) {
    if (!parse.upstream_tables.empty()) {
      reader.problem("upstream", "stands beside --upstream; leave one of them out");
      parse.upstream_tables.clear();
    }
    parse.config.upstreams.push_back(upstream_of(parse.overrides));
  }
  for (const toml::table* table : parse.upstream_tables) read_upstream(*table, parse);
  if (parse.config.upstreams.empty() && !reader.has("upstream")) {
    parse.problems.add(
        "names no upstream; add two lines: [[upstream]] and url = \"https://api.example.com/v1\"");
  }
}

void name_upstreams(Parse& parse) {
  auto& upstreams = parse.config.upstreams;
  for (std::size_t i = 0; i < parse.upstream_tables.size(); ++i) {
    const toml::table& table = *parse.upstream_tables[i];
    std::string& name = upstreams[i].name;
    if (name.empty() && upstreams.size() == 1) name = "default";
    if (name.empty()) {
      parse.problems.add(table, "upstream.name", "is missing; with several upstreams each has one");
    } else if (name.contains('/')) {
      parse.problems.add(table, "upstream.name", "may hold no '/': it stands in front of one");
    } else if (parse.config.find_upstream(name) != i) {
      parse.problems.add(table, "upstream.name",
                         std::format("\"{}\" is the name of an earlier one, too", name));
    }
  }
}

std::vector<std::string> names_of(const auto& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

std::string unknown_name(std::string_view what, std::string_view name,
                         const std::vector<std::string>& known) {
  const std::string_view meant = nearest(name, known);
  return meant.empty()
             ? std::format("there is no {} \"{}\"", what, name)
             : std::format("there is no {} \"{}\"; did you mean \"{}\"?", what, name, meant);
}

// "UPSTREAM" or "UPSTREAM/MODEL"; a model's name may hold more slashes.
void read_target(std::string_view text, TableReader& reader, ModelConfig& model, Parse& parse) {
  const std::size_t slash = text.find('/');
  const std::string_view upstream = text.substr(0, slash);
  const auto found = parse.config.find_upstream(upstream);
  if (!found) {
    return reader.problem("targets",
                          unknown_name("upstream", upstream, names_of(parse.config.upstreams)) +
                              "; a target is \"UPSTREAM\" or \"UPSTREAM/MODEL\"");
  }
  const std::string_view name = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  model.targets.push_back({.upstream = *found, .model = std::string(name)});
}

void read_model(const toml::table& table, Parse& parse) {
  TableReader reader(table, "model", parse.problems);
  ModelConfig model;
  reader.text("name", model.name);
  if (model.name.empty() && !reader.has("name"))
    reader.problem("name", "is missing; it is what clients ask for, or \"*\" for all others");
  if (std::ranges::contains(names_of(parse.config.models), model.name) && !model.name.empty())
    reader.problem("name", std::format("\"{}\" has an entry already", model.name));
  std::vector<std::string> targets;
  reader.texts("targets", targets);
  if (targets.empty())
    reader.problem("targets", "is missing; write targets = [\"UPSTREAM/MODEL\"]");
  if (targets.size() > limits::model_targets_max) {
    reader.problem("targets", std::format("are {}; at most {} make sense", targets.size(),
                                          limits::model_targets_max));
    targets.resize(limits::model_targets_max);
  }
  for (const std::string& target : targets) read_target(target, reader, model, parse);
  reader.text("larger", model.larger);
  parse.config.models.push_back(std::move(model));
}

// `larger` must name another entry, and following it must end.
void check_larger(Parse& parse) {
  const auto& models = parse.config.models;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const ModelConfig* at = &models[i];
    for (std::size_t steps = 0; !at->larger.empty(); ++steps) {
      const auto next = std::ranges::find(models, at->larger, &ModelConfig::name);
      if (next == models.end() || next->name == "*") {
        if (at == &models[i]) {
          parse.problems.add(*parse.model_tables[i], "model.larger",
                             unknown_name("model", at->larger, names_of(models)) +
                                 "; add a [[model]] of that name");
        }
        break;
      }
      if (steps == models.size() || &*next == &models[i]) {
        if (&*next == &models[i]) {
          parse.problems.add(*parse.model_tables[i], "model.larger",
                             std::format("leads from \"{}\" back to itself", models[i].name));
        }
        break;
      }
      at = &*next;
    }
  }
}

void read_retries(const toml::table& table, Parse& parse) {
  TableReader reader(table, "retries", parse.problems);
  RetryConfig& retries = parse.config.retries;
  std::int64_t attempts = retries.attempts_max;
  reader.integer("attempts_max", attempts, {.least = 1, .most = 10});
  retries.attempts_max = static_cast<int>(attempts);
  reader.share("budget_ratio", retries.budget_ratio);
  reader.duration("backoff_ms", retries.backoff);
  reader.duration("backoff_ms_max", retries.backoff_max);
  if (retries.backoff_max < retries.backoff)
    reader.problem("backoff_ms_max", "is less than backoff_ms");
  reader.duration("retry_after_s_max", retries.retry_after_max, 1000);
}

void read_breaker(const toml::table& table, Parse& parse) {
  TableReader reader(table, "breaker", parse.problems);
  BreakerConfig& breaker = parse.config.breaker;
  std::int64_t failures = breaker.failures;
  reader.integer("failures", failures, {.least = 0, .most = 1000});
  breaker.failures = static_cast<int>(failures);
  reader.duration("window_s", breaker.window, 1000);
  reader.duration("open_s", breaker.open, 1000);
}

void read_capture(const toml::table& table, Parse& parse) {
  TableReader reader(table, "capture", parse.problems);
  CaptureConfig& capture = parse.config.capture;
  constexpr std::array modes = {CaptureMode::off, CaptureMode::async, CaptureMode::durable};
  if (const auto mode = reader.choice("mode", {"off", "async", "durable"}))
    capture.mode = modes[*mode];
  if (const auto when = reader.choice("when_full", {"wait", "drop"}))
    capture.when_full = *when == 0 ? WhenFull::wait : WhenFull::drop;
  const auto mebibytes = [&reader](std::string_view key, std::size_t& bytes, std::int64_t most) {
    auto count = static_cast<std::int64_t>(bytes / limits::mebi);
    reader.integer(key, count, {.least = 1, .most = most});
    bytes = static_cast<std::size_t>(count) * limits::mebi;
  };
  mebibytes("ring_mib", capture.ring_bytes, limits::log_ring_bytes_max / limits::mebi);
  mebibytes("segment_mib", capture.segment_bytes, limits::segment_bytes_max / limits::mebi);
  std::int64_t days = capture.retention_days;
  reader.integer("retention_days", days, {.least = 0, .most = 36'500});
  capture.retention_days = static_cast<int>(days);
}

void read_human_facing(const toml::table& table, Parse& parse) {
  TableReader reader(table, "human_facing", parse.problems);
  HumanFacingRule rule;
  reader.text("header", rule.header);
  reader.text("value", rule.header_value);
  reader.text("key", rule.key);
  reader.text("model", rule.model);
  reader.text("path_prefix", rule.path_prefix);
  reader.text("user_agent_prefix", rule.user_agent_prefix);
  if (!is_header_name(rule.header)) reader.problem("header", "is no header's name");
  if (rule.header.empty() && !rule.header_value.empty())
    reader.problem("value", "is of no header; add header = \"NAME\"");
  if (table.empty())
    reader.problem("header", "is missing: a rule without a condition would take every call");
  parse.config.human_facing.push_back(std::move(rule));
}

void read_access(const toml::table& table, Parse& parse) {
  TableReader reader(table, "access", parse.problems);
  AccessConfig& access = parse.config.access;
  bool required = false;
  reader.boolean("required", required);
  if (reader.has("required")) access.required = required;
  reader.boolean("signed_only", access.signed_only);
}

void read_admin(const toml::table& table, Parse& parse) {
  TableReader reader(table, "admin", parse.problems);
  AdminConfig& admin = parse.config.admin;
  Endpoint listen;
  read_endpoint(reader, "listen", listen);
  if (!reader.has("listen"))
    reader.problem("listen", "is missing; write listen = \"127.0.0.1:8081\"");
  admin.listen = listen;
  read_tls(reader, admin.tls);
  reader.boolean("allow_plain_http", admin.allow_plain_http);
  if (!listen.loopback() && !admin.tls.on() && !admin.allow_plain_http) {
    reader.problem("listen",
                   "would send tokens in clear over the network; give certificate and "
                   "key, listen on 127.0.0.1, or set allow_plain_http = true");
  }
}

void read_telemetry(const toml::table& table, Parse& parse) {
  TableReader reader(table, "telemetry", parse.problems);
  TelemetryConfig& telemetry = parse.config.telemetry;
  reader.text("otlp_endpoint", telemetry.otlp_endpoint);
  if (const auto problem = url_problem(telemetry.otlp_endpoint);
      !telemetry.otlp_endpoint.empty() && !problem.empty())
    reader.problem("otlp_endpoint", problem);
  reader.text("otlp_headers_env", telemetry.otlp_headers_env);
  reader.text("service_name", telemetry.service_name);
  reader.share("sample_ratio", telemetry.sample_ratio);
}

void read_file_tables(TableReader& reader, Parse& parse) {
  read_endpoint(reader, "listen", parse.config.listen);
  std::int64_t threads = 0;
  reader.integer("threads", threads, {.least = 0, .most = limits::io_threads_max});
  parse.config.io_threads = static_cast<std::size_t>(threads);
  if (const toml::table* tls = reader.table("tls")) {
    TableReader tls_reader(*tls, "tls", parse.problems);
    read_tls(tls_reader, parse.config.tls);
  }
  read_upstreams(reader, parse);
  name_upstreams(parse);
  parse.model_tables = reader.tables("model");
  if (parse.model_tables.size() > limits::models_max) {
    reader.problem("model", std::format("are more than {}", limits::models_max));
    parse.model_tables.resize(limits::models_max);
  }
  for (const toml::table* table : parse.model_tables) read_model(*table, parse);
  check_larger(parse);
  const std::array<std::pair<std::string_view, void (*)(const toml::table&, Parse&)>, 6> sections =
      {{{"retries", read_retries},
        {"breaker", read_breaker},
        {"capture", read_capture},
        {"access", read_access},
        {"admin", read_admin},
        {"telemetry", read_telemetry}}};
  for (const auto& [key, read] : sections) {
    if (const toml::table* table = reader.table(key)) read(*table, parse);
  }
  for (const toml::table* table : reader.tables("human_facing")) read_human_facing(*table, parse);
  for (const std::string_view name : command_tables) reader.allow(name);
  if (reader.has("serve")) {
    reader.problem("serve",
                   "is of an older version: its options stand at the top level now (listen, "
                   "threads), the upstream under [[upstream]]; `understudy init --print` shows a "
                   "file of this version");
  }
}

// What the file names must be there: keys, certificates.
void check_surroundings(Parse& parse, const toml::table& tree) {
  const GatewayConfig& config = parse.config;
  if (parse.upstream_tables.empty() && !config.upstreams.empty()) {
    if (const auto key = upstream_key(config.upstreams.front()); !key)
      parse.problems.add("--upstream-key-env: " + key.error().message + "; " + key.error().hint);
  }
  for (std::size_t i = 0; i < parse.upstream_tables.size(); ++i) {
    const toml::table& table = *parse.upstream_tables[i];
    if (const auto key = upstream_key(config.upstreams[i]); !key) {
      parse.problems.add(table,
                         config.upstreams[i].api_key_file.empty() ? "upstream.api_key_env"
                                                                  : "upstream.api_key_file",
                         key.error().message + "; " + key.error().hint);
    }
  }
  const auto readable = [&](const toml::node& where, std::string_view key,
                            const std::filesystem::path& file) {
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
      parse.problems.add(where, key, "cannot read " + file.string() + "; correct the path");
  };
  for (std::size_t i = 0; i < parse.upstream_tables.size(); ++i)
    readable(*parse.upstream_tables[i], "upstream.ca_file", config.upstreams[i].ca_file);
  for (const auto& [section, tls] : {std::pair{"tls", &config.tls}, {"admin", &config.admin.tls}}) {
    const toml::node* where = tree.get(section);
    if (where == nullptr) continue;
    readable(*where, std::string(section) + ".certificate", tls->certificate);
    readable(*where, std::string(section) + ".key", tls->key);
  }
}

enum class Surroundings { checked, left_out };

Status check_upstream_flag(const ConfigOverrides& overrides) {
  const auto problem = url_problem(overrides.upstream_url);
  if (problem.empty()) return {};
  return fail(ErrorCode::invalid_input,
              "--upstream " + overrides.upstream_url + ": " + std::string(problem),
              "for example --upstream https://api.example.com/v1");
}

void apply(const ConfigOverrides& overrides, GatewayConfig& config) {
  if (overrides.listen) config.listen = *overrides.listen;
  if (overrides.io_threads) config.io_threads = *overrides.io_threads;
  if (overrides.capture) config.capture.mode = *overrides.capture;
}

Result<GatewayConfig> parse_file(std::string_view text, std::string_view name,
                                 const ConfigOverrides& overrides, Surroundings surroundings) {
  if (!overrides.upstream_url.empty()) TRY(check_upstream_flag(overrides));
  Parse parse{.config = {},
              .problems = Problems(name),
              .overrides = overrides,
              .upstream_tables = {},
              .model_tables = {}};
  if (text.size() > limits::config_bytes_max) {
    return fail(ErrorCode::invalid_input, std::format("{}: is {} bytes long", name, text.size()),
                "that is not a configuration; examples/understudy.toml shows one");
  }
  try {
    const toml::table tree = toml::parse(text, name);
    {
      TableReader reader(tree, "", parse.problems);
      read_file_tables(reader, parse);
    }
    if (surroundings == Surroundings::checked) check_surroundings(parse, tree);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input,
                std::format("{}:{}: {}", name, error.source().begin.line, error.description()),
                "the configuration is written in TOML; examples/understudy.toml shows one");
  }
  if (!parse.problems.none()) {
    return fail(ErrorCode::invalid_input, parse.problems.to_text(),
                std::format("{} to put right in {}",
                            parse.problems.count() == 1
                                ? std::string("one problem")
                                : std::format("{} problems", parse.problems.count()),
                            name));
  }
  apply(overrides, parse.config);
  return std::move(parse.config);
}

}  // namespace

Result<GatewayConfig> load_config(const std::filesystem::path& file,
                                  const ConfigOverrides& overrides) {
  const std::string text = TRY(read_file(file));
  return parse_file(text, file.string(), overrides, Surroundings::checked);
}

Result<GatewayConfig> parse_config(std::string_view toml, std::string_view name,
                                   const ConfigOverrides& overrides) {
  return parse_file(toml, name, overrides, Surroundings::left_out);
}

Result<GatewayConfig> default_config(const ConfigOverrides& overrides) {
  TRY(check_upstream_flag(overrides));
  GatewayConfig config;
  config.upstreams.push_back(upstream_of(overrides));
  TRY(upstream_key(config.upstreams.front()));
  apply(overrides, config);
  return config;
}

}  // namespace understudy::live
