#include "quality/answer_grammar.hpp"

#include <algorithm>
#include <cstddef>
#include <format>
#include <map>
#include <ranges>
#include <string_view>
#include <utility>

namespace understudy::quality {

namespace {

constexpr std::size_t depth_max = 16;   // of nested schemas; deeper ones allow any JSON
constexpr std::size_t rules_max = 400;  // of one grammar; what comes later allows any JSON
constexpr std::size_t choices_max = 200;

// Any JSON. A nano model may write a pointer for a value of the prompt (adapters/lm/symbols.hpp).
constexpr std::string_view common_rules = R"(
value ::= string | number | object | array | "true" | "false" | "null"
object ::= "{" gap (string gap ":" gap value (gap "," gap string gap ":" gap value)*)? gap "}"
array ::= "[" gap (value (gap "," gap value)*)? gap "]"
string ::= "\"" ([^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F]))* "\""
number ::= integer ("." digits)? ([eE] [-+]? digits)?
integer ::= "-"? digits
digits ::= ([0-9] | pointer)+
pointer ::= "<|p:" [^|]{1,48} "|>"
pointed ::= "\"" pointer "\""
)";
constexpr std::string_view no_gaps = "gap ::= \"\"\n";
constexpr std::string_view any_gaps = "gap ::= [ \\t\\r\\n]{0,48}\n";

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    switch (letter) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      default:
        if (static_cast<unsigned char>(letter) < 0x20U) {
          out += std::format("\\x{:02X}", static_cast<unsigned char>(letter));
        } else {
          out += letter;
        }
    }
  }
  return out + "\"";
}

std::string quoted_json(const json::value& value) { return quoted(json::to_canonical(value)); }

// The rules of one schema. Canonical JSON has its members sorted and no gaps, so that required
// ones can be asked for; other JSON may have them in any order.
class SchemaRules {
 public:
  SchemaRules(const json::value& root, bool canonical, std::string& rules, std::size_t& count)
      : root_(root), canonical_(canonical), rules_(rules), count_(count) {}

  std::string of(const json::value& schema, std::size_t depth = 0) {
    if (!schema.is_object() || depth > depth_max || count_ > rules_max) return "value";
    const json::object& said = schema.get_object();
    if (const json::value* reference = said.if_contains("$ref"))
      return of_reference(*reference, depth);
    if (const json::value* one = said.if_contains("const"))
      return add(quoted_json(*one) + (one->is_string() ? " | pointed" : ""));
    if (const json::value* choice = said.if_contains("enum");
        choice != nullptr && choice->is_array())
      return of_choice(choice->get_array());
    for (const char* any : {"anyOf", "oneOf"}) {
      if (const json::value* ways = said.if_contains(any); ways != nullptr && ways->is_array())
        return of_any(ways->get_array(), depth);
    }
    if (said.contains("allOf")) return "value";
    const json::value* type = said.if_contains("type");
    if (type == nullptr) return said.contains("properties") ? of_object(said, depth) : "value";
    if (type->is_string()) return of_type(type->get_string(), said, depth);
    if (!type->is_array() || type->get_array().empty()) return "value";
    std::string ways;
    for (const json::value& one : type->get_array()) {
      if (!one.is_string()) return "value";
      ways += (ways.empty() ? "" : " | ") + of_type(one.get_string(), said, depth);
    }
    return add(ways);
  }

 private:
  std::string add(const std::string& body) {
    const std::string name = std::format("r{}", count_++);
    rules_ += name + " ::= " + body + "\n";
    return name;
  }

  std::string of_reference(const json::value& reference, std::size_t depth) {
    if (!reference.is_string() || !reference.get_string().starts_with('#')) return "value";
    const std::string path(std::string_view(reference.get_string()).substr(1));
    if (const auto known = by_path_.find(path); known != by_path_.end()) return known->second;
    boost::system::error_code error;
    const json::value* target = root_.find_pointer(path, error);
    if (target == nullptr) return "value";
    by_path_[path] = "value";  // inside itself
    std::string rule = of(*target, depth + 1);
    by_path_[path] = rule;
    return rule;
  }

  std::string of_choice(const json::array& choices) {
    if (choices.empty() || choices.size() > choices_max) return "value";
    std::string ways;
    bool text = false;
    for (const json::value& choice : choices) {
      ways += (ways.empty() ? "" : " | ") + quoted_json(choice);
      text = text || choice.is_string();
    }
    return add(text ? ways + " | pointed" : ways);
  }

  std::string of_any(const json::array& schemas, std::size_t depth) {
    std::string ways;
    for (const json::value& schema : schemas)
      ways += (ways.empty() ? "" : " | ") + of(schema, depth + 1);
    return ways.empty() ? "value" : add(ways);
  }

  std::string of_type(std::string_view type, const json::object& said, std::size_t depth) {
    if (type == "string" || type == "number") return std::string(type);
    if (type == "integer") return canonical_ ? "integer" : "number";
    if (type == "boolean") return add(R"("true" | "false")");
    if (type == "null") return add(R"("null")");
    if (type == "array") {
      const json::value* items = said.if_contains("items");
      if (items == nullptr || said.contains("prefixItems")) return "array";
      const std::string item = of(*items, depth + 1);
      return add(std::format(R"("[" gap ({0} (gap "," gap {0})*)? gap "]")", item));
    }
    return type == "object" ? of_object(said, depth) : "value";
  }

  std::string of_object(const json::object& said, std::size_t depth) {
    const json::value* properties = said.if_contains("properties");
    if (properties == nullptr || !properties->is_object() || properties->get_object().empty() ||
        said.contains("patternProperties"))
      return "object";
    std::map<std::string, std::string> members;  // by name, in canonical order
    for (const auto& property : properties->get_object()) {
      const std::string name(property.key());
      members[name] =
          quoted_json(json::value(name)) + " gap \":\" gap " + of(property.value(), depth + 1);
    }
    return canonical_ ? of_sorted(members, said) : of_unsorted(members, said);
  }

  std::string of_unsorted(const std::map<std::string, std::string>& members,
                          const json::object& said) {
    std::string ways;
    for (const auto& [name, member] : members) ways += (ways.empty() ? "" : " | ") + member;
    if (const json::value* others = said.if_contains("additionalProperties");
        others == nullptr || *others != json::value(false))
      ways += " | string gap \":\" gap value";
    const std::string member = add(ways);
    return add(std::format(R"("{{" gap ({0} (gap "," gap {0})*)? gap "}}")", member));
  }

  // From the last member to the first: what may follow once something stands there ("after"), and
  // while nothing does ("first").
  std::string of_sorted(const std::map<std::string, std::string>& members,
                        const json::object& said) {
    const auto is_required = [&](const std::string& name) {
      const json::value* required = said.if_contains("required");
      return required != nullptr && required->is_array() &&
             std::ranges::find(required->get_array(), json::value(name)) !=
                 required->get_array().end();
    };
    std::string after = "empty";
    std::string first = "empty";
    for (const auto& [name, member] : std::views::reverse(members)) {
      const bool required = is_required(name);
      const std::string begun = member + " " + after;
      const std::string gone_on = "\",\" " + begun;
      first = add(required ? begun : begun + " | " + first);
      after = add(required ? gone_on : gone_on + " | " + after);
    }
    return add("\"{\" " + first + " \"}\"");
  }

  const json::value& root_;
  bool canonical_;
  std::string& rules_;
  std::size_t& count_;
  std::map<std::string, std::string> by_path_;
};

}  // namespace

std::string answer_grammar(AnswerForm form, const AnswerShape& shape) {
  std::string rules;
  std::size_t count = 0;
  if (form == AnswerForm::json) {
    const std::string answer = SchemaRules(shape.text, false, rules, count).of(shape.text);
    return "root ::= gap " + answer + " gap\n" + rules + std::string(any_gaps) +
           std::string(common_rules);
  }
  if (form != AnswerForm::tool_call || shape.tools.empty()) return {};
  std::string calls;
  for (const auto& [name, schema] : shape.tools) {
    const std::string arguments =
        schema.is_object() ? SchemaRules(schema, true, rules, count).of(schema) : "object";
    calls += (calls.empty() ? "" : " | ") + quoted(name + " ") + " " + arguments;
  }
  return "root ::= said call (\"\\n\" call)*\n"
         "said ::= (([^<\\n] [^\\n]*)? \"\\n\")*\n"
         "call ::= \"<tool>\" (" +
         calls + ")\nempty ::= \"\"\n" + rules + std::string(no_gaps) + std::string(common_rules);
}

}  // namespace understudy::quality
