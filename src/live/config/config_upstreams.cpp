// [[upstream]] and [[model]]: where calls may go.
#include "live/config/config_parse.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "base/nearest_word.hpp"

namespace understudy::live {

namespace {

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

}  // namespace

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

}  // namespace understudy::live
