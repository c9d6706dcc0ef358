#include <unistd.h>

#include <algorithm>
#include <array>
#include <format>

#include "base/files.hpp"
#include "live/config/config_parse.hpp"
#include "records/formats.hpp"

namespace understudy::live {

namespace {

// Options of verbs that stand in the same file; the command line reads them (apps/command_line).
constexpr std::array command_tables = {
    "import",  "curate",   "scan",   "cluster", "tasks",  "select", "tune",   "export",  "evaluate",
    "promote", "rollback", "refine", "replay",  "report", "log",    "models", "console", "up"};

constexpr std::int64_t bodies_mib_max = 1024 * 1024;  // a tebibyte

void read_file_tables(TableReader& reader, Parse& parse) {
  std::int64_t format = 1;
  reader.integer("format", format, {.least = 1, .most = format_of(FormatId::configuration).newest});
  read_endpoint(reader, "listen", parse.config.listen);
  std::int64_t threads = 0;
  reader.integer("threads", threads, {.least = 0, .most = limits::io_threads_max});
  parse.config.io_threads = static_cast<std::size_t>(threads);
  auto mebibytes = static_cast<std::int64_t>(parse.config.bodies_bytes / limits::mebi);
  reader.integer("bodies_mib", mebibytes, {.least = 1, .most = bodies_mib_max});
  parse.config.bodies_bytes = static_cast<std::size_t>(mebibytes) * limits::mebi;
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
    // First, and alone: what else a newer file says would read as a list of mistakes.
    if (const auto format = tree["format"].value_exact<std::int64_t>()) {
      const auto known = check_format(FormatId::configuration, *format);
      if (!known) return fail(known.error().within(std::string(name)));
    }
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
