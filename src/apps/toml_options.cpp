#include "apps/toml_options.hpp"

#include <toml++/toml.hpp>

namespace understudy::apps {

namespace {

std::string text_of(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) return CLI::detail::to_string(*number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  throw CLI::FileError("understudy.toml:" + std::to_string(node.source().begin.line) +
                       ": wants text, a number, or true or false");
}

void add_items(const toml::table& table, const std::vector<std::string>& parents,
               std::vector<CLI::ConfigItem>& items) {
  for (const auto& [key, node] : table) {
    if (const toml::table* inner = node.as_table()) {
      std::vector<std::string> path = parents;
      path.emplace_back(key.str());
      add_items(*inner, path, items);
      continue;
    }
    // [[curate.rule]] and the like are no options; their users read them.
    if (const toml::array* array = node.as_array(); array != nullptr && array->is_array_of_tables())
      continue;
    CLI::ConfigItem& item = items.emplace_back();
    item.parents = parents;
    item.name = key.str();
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& one : *array) item.inputs.push_back(text_of(one));
    } else {
      item.inputs.push_back(text_of(node));
    }
  }
}

}  // namespace

std::vector<CLI::ConfigItem> TomlOptions::from_config(std::istream& input) const {
  std::vector<CLI::ConfigItem> found;
  try {
    const toml::table tree = toml::parse(input, std::string_view("understudy.toml"));
    for (const auto& [key, node] : tree) {
      const std::string name(key.str());
      if (const toml::table* table = node.as_table(); table != nullptr && verbs_.contains(name))
        add_items(*table, {name}, found);
    }
  } catch (const toml::parse_error& error) {
    throw CLI::FileError("understudy.toml:" + std::to_string(error.source().begin.line) + ": " +
                         std::string(error.description()));
  }
  return found;
}

std::set<std::string> verb_names(const CLI::App& app) {
  std::set<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.insert(verb->get_name());
  names.erase("access");
  names.erase("serve");
  names.erase("curate");  // its settings are no options (docs/formats/curate.md)
  return names;
}

}  // namespace understudy::apps
