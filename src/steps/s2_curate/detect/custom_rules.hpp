// Rules of the user's own: [[curate.rule]] in understudy.toml. Immutable once made and thread-safe.
#pragma once

#include <string>
#include <vector>

#include "adapters/text/pattern_scanner.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/detect/entity.hpp"
#include "steps/s2_curate/detect/finders.hpp"

namespace understudy::s2 {

enum class RuleAction {
  replace,  // as other values of the type
  keep,     // never personal here: what it matches is not reported, whatever finds it
};

struct CustomRule {
  std::string name;
  std::string pattern;  // PCRE without look-around and back-references
  EntityType type = EntityType::custom;
  RuleAction action = RuleAction::replace;
};

class CustomRules {
 public:
  // invalid_input names the rule whose pattern does not compile.
  static Result<CustomRules> compile(std::vector<CustomRule> rules);

  // Adds what the rules match and takes out what they keep.
  void apply(std::string_view text, std::vector<Entity>& found) const;

 private:
  CustomRules(std::vector<CustomRule> rules, text::PatternScanner scanner)
      : rules_(std::move(rules)), scanner_(std::move(scanner)) {}
  std::vector<CustomRule> rules_;
  text::PatternScanner scanner_;
};

// The [[curate.rule]] tables of a configuration file; none where it has none. invalid_input with
// the line of what is wrong.
Result<std::vector<CustomRule>> parse_custom_rules(std::string_view toml_text);

}  // namespace understudy::s2
