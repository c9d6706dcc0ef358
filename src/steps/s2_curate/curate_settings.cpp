#include "steps/s2_curate/curate_settings.hpp"

#include <optional>
#include <toml++/toml.hpp>

#include "base/http_url.hpp"

namespace understudy::s2 {

namespace {

std::unexpected<Error> wrong(const toml::node& node, std::string message) {
  return fail(
      ErrorCode::invalid_input,
      "understudy.toml:" + std::to_string(node.source().begin.line) + ": " + std::move(message));
}

std::optional<EntityType> parse_type(std::string_view name) {
  for (std::size_t i = 0; i < entity_type_count; ++i) {
    const auto type = static_cast<EntityType>(i);
    if (name == to_string(type) || name == presidio_name(type)) return type;
  }
  return std::nullopt;
}

std::string paraphrase_names() {
  std::string names;
  for (const EntityType type : paraphrase_types)
    names += (names.empty() ? "" : ", ") + std::string(to_string(type));
  return names;
}

Status read_actions(const toml::node& node, Actions& actions) {
  if (!node.is_table()) return wrong(node, "actions are a table: type = \"surrogate\"");
  for (const auto& [name, value] : *node.as_table()) {
    const auto type = parse_type(name.str());
    if (!type) return wrong(value, "there is no type \"" + std::string(name.str()) + "\"");
    const auto text = value.value<std::string>();
    const auto action = text ? parse_action(*text) : std::nullopt;
    if (!action) return wrong(value, "an action is keep, mask, drop, surrogate or paraphrase");
    const bool leaks = *action != Action::mask && *action != Action::drop;
    if (*type == EntityType::secret && leaks)
      return wrong(value, "secrets are redacted (mask), or their calls dropped (drop)");
    if (*action == Action::paraphrase && !std::ranges::contains(paraphrase_types, *type))
      return wrong(value, "paraphrase is for " + paraphrase_names() +
                              "; every other type is a person's: give it a surrogate");
    if (*type == EntityType::plain_number && *action != Action::keep &&
        *action != Action::paraphrase)
      return wrong(value, "numbers that are nobody's can be kept or paraphrased");
    actions[static_cast<std::size_t>(*type)] = *action;
  }
  return {};
}

Status read_cap(const toml::node& node, std::uint64_t& cap) {
  const auto number = node.value<std::int64_t>();
  if (!number || *number < 0) return wrong(node, "a number of calls, 0 for no cap");
  cap = static_cast<std::uint64_t>(*number);
  return {};
}

Status read_tasks(const toml::node& node, CurateSettings& settings) {
  if (!node.is_table()) return wrong(node, "write [curate.task.\"ID\".actions]");
  for (const auto& [id, task] : *node.as_table()) {
    Actions& actions = settings.task_actions[std::string(id.str())];
    actions = settings.actions;
    if (!task.is_table()) return wrong(task, "write [curate.task.\"ID\".actions]");
    for (const auto& [name, value] : *task.as_table()) {
      if (name.str() != "actions")
        return wrong(value, "there is no setting \"" + std::string(name.str()) + "\" of a task");
      TRY(read_actions(value, actions));
    }
  }
  return {};
}

Status read_setting(std::string_view name, const toml::node& value, CurateSettings& settings) {
  if (name == "scope") {
    const auto text = value.value_or(std::string());
    if (text != "project" && text != "tenant") return wrong(value, "a scope is project or tenant");
    settings.scope = text == "project" ? SurrogateScope::project : SurrogateScope::tenant;
  } else if (name == "reward_above") {
    if (value.is_boolean() && !*value.value<bool>()) {
      settings.filters.reward_above.reset();
      return {};
    }
    const auto number = value.value<double>();
    if (!number || value.is_boolean()) return wrong(value, "a reward, or false for any");
    settings.filters.reward_above = *number;
  } else if (name == "drop_refusals") {
    if (!value.is_boolean()) return wrong(value, "true or false");
    settings.filters.drop_refusals = *value.value<bool>();
  } else if (name == "calls_per_component_max") {
    return read_cap(value, settings.calls_per_component_max);
  } else if (name == "calls_per_task_max") {
    return read_cap(value, settings.calls_per_task_max);
  } else if (name == "recogniser_url") {
    settings.recogniser_url = value.value_or(std::string());
    if (!is_http_url(settings.recogniser_url))
      return wrong(value, "the URL of an endpoint: \"http://127.0.0.1:5002/analyze\"");
  } else if (name == "recogniser_language") {
    settings.recogniser_language = value.value_or(std::string());
    if (settings.recogniser_language.empty()) return wrong(value, "a language: \"en\"");
  } else if (name != "actions" && name != "task" && name != "rule") {
    return wrong(value, "there is no setting \"" + std::string(name) + "\" in [curate]");
  }
  return {};
}

Result<CurateSettings> read_tree(const toml::table& tree) {
  CurateSettings settings;
  const toml::node* node = tree.get("curate");
  if (node == nullptr) return settings;
  if (!node->is_table()) return wrong(*node, "write [curate]");
  const toml::table& table = *node->as_table();
  for (const auto& [name, value] : table) TRY(read_setting(name.str(), value, settings));
  if (const toml::node* actions = table.get("actions"))
    TRY(read_actions(*actions, settings.actions));
  if (const toml::node* tasks = table.get("task")) TRY(read_tasks(*tasks, settings));
  return settings;
}

}  // namespace

Result<CurateSettings> parse_curate_settings(std::string_view toml_text) {
  try {
    CurateSettings settings =
        TRY(read_tree(toml::parse(toml_text, std::string_view("understudy.toml"))));
    settings.rules = TRY(parse_custom_rules(toml_text));
    return settings;
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input,
                "understudy.toml:" + std::to_string(error.source().begin.line) + ": " +
                    std::string(error.description()));
  }
}

}  // namespace understudy::s2
