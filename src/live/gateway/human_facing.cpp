#include "live/gateway/human_facing.hpp"

#include <algorithm>

namespace understudy::live {

namespace {

bool holds(const HumanFacingRule& rule, const CallerFacts& facts) {
  const net::Headers& headers = facts.request.headers;
  if (!rule.header.empty()) {
    const auto value = headers.find(rule.header);
    if (!value || (!rule.header_value.empty() && *value != rule.header_value)) return false;
  }
  if (!rule.user_agent_prefix.empty() &&
      !net::has_prefix(headers.find("user-agent").value_or(""), rule.user_agent_prefix)) {
    return false;
  }
  return (rule.key.empty() || rule.key == facts.key_name) &&
         (rule.model.empty() || rule.model == facts.model) &&
         facts.request.target.starts_with(rule.path_prefix);
}

}  // namespace

bool is_human_facing(const std::vector<HumanFacingRule>& rules, const CallerFacts& facts) {
  if (facts.key_is_human_facing) return true;
  // The caller knows best, in both directions.
  if (const auto said = facts.request.headers.find("x-understudy-human")) return *said == "1";
  return std::ranges::any_of(rules,
                             [&facts](const HumanFacingRule& rule) { return holds(rule, facts); });
}

}  // namespace understudy::live
