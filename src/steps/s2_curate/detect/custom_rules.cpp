#include "steps/s2_curate/detect/custom_rules.hpp"

#include <algorithm>
#include <map>
#include <toml++/toml.hpp>

namespace understudy::s2 {

namespace {

std::unexpected<Error> wrong(const toml::node& node, const std::string& what) {
  return fail(ErrorCode::invalid_input,
              "understudy.toml:" + std::to_string(node.source().begin.line) + ": " + what,
              "[[curate.rule]] has name, pattern, type (EMAIL_ADDRESS, ..., CUSTOM) and action "
              "(replace or keep)");
}

Result<CustomRule> read_rule(const toml::table& table) {
  CustomRule rule;
  for (const auto& [key, node] : table) {
    const auto text = node.value_exact<std::string>();
    if (!text) return wrong(node, std::string(key.str()) + " wants a text");
    if (key == "name") {
      rule.name = *text;
    } else if (key == "pattern") {
      rule.pattern = *text;
    } else if (key == "type") {
      const auto type = parse_presidio_name(*text);
      if (!type) return wrong(node, "there is no type " + *text);
      rule.type = *type;
    } else if (key == "action") {
      if (*text != "replace" && *text != "keep") return wrong(node, "no such action: " + *text);
      rule.action = *text == "keep" ? RuleAction::keep : RuleAction::replace;
    } else {
      return wrong(node, "a rule has no key " + std::string(key.str()));
    }
  }
  if (rule.name.empty() || rule.pattern.empty())
    return wrong(table, "a rule wants a name and a pattern");
  return rule;
}

}  // namespace

Result<CustomRules> CustomRules::compile(std::vector<CustomRule> rules) {
  std::vector<text::Pattern> patterns;
  for (std::uint32_t id = 0; id < rules.size(); ++id)
    patterns.push_back({.id = id, .expression = rules[id].pattern});
  auto scanner = TRY(text::PatternScanner::compile(patterns));
  return CustomRules(std::move(rules), std::move(scanner));
}

void CustomRules::apply(std::string_view text, std::vector<Entity>& found) const {
  if (rules_.empty()) return;
  // A repetition matches at each of its ends: the longest from each beginning counts.
  std::map<std::pair<std::uint32_t, std::size_t>, std::size_t> ends;
  for (const text::PatternHit& hit : scanner_.scan(text)) {
    if (hit.end == hit.begin) continue;
    std::size_t& end = ends[{hit.id, hit.begin}];
    end = std::max(end, hit.end);
  }
  for (const auto& [start, end] : ends) {
    const CustomRule& rule = rules_[start.first];
    const std::size_t begin = start.second;
    if (rule.action == RuleAction::keep) {
      std::erase_if(
          found, [&](const Entity& entity) { return entity.begin >= begin && entity.end <= end; });
    } else {
      found.push_back({.type = rule.type,
                       .begin = begin,
                       .end = end,
                       .value = std::string(text.substr(begin, end - begin)),
                       .kind = rule.name});
    }
  }
}

Result<std::vector<CustomRule>> parse_custom_rules(std::string_view toml_text) {
  try {
    const toml::table tree = toml::parse(toml_text, std::string_view("understudy.toml"));
    std::vector<CustomRule> rules;
    const toml::node_view tables = tree["curate"]["rule"];
    if (!tables) return rules;
    const toml::array* array = tables.as_array();
    if (array == nullptr) return wrong(*tables.node(), "write [[curate.rule]], in two brackets");
    for (const toml::node& node : *array) {
      if (!node.is_table()) return wrong(node, "a rule is a table");
      rules.push_back(TRY(read_rule(*node.as_table())));
    }
    return rules;
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input,
                "understudy.toml:" + std::to_string(error.source().begin.line) + ": " +
                    std::string(error.description()));
  }
}

}  // namespace understudy::s2
