// How a data set is to be made: the [curate] table of understudy.toml. docs/formats/curate.md lists
// its keys.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "steps/s2_curate/detect/custom_rules.hpp"
#include "steps/s2_curate/filters.hpp"
#include "steps/s2_curate/surrogate/actions.hpp"

namespace understudy::s2 {

// Within which a value has one surrogate, and two of which have two.
enum class SurrogateScope { project, tenant };

struct CurateSettings {
  SurrogateScope scope = SurrogateScope::tenant;
  Actions actions = default_actions();
  // Of tasks that an earlier `understudy cluster` found, by id: their calls are treated so.
  std::map<std::string, Actions> task_actions = {};
  FilterOptions filters = {};
  // Of the train split; 0: no cap. Those that are kept are drawn by a keyed hash.
  std::uint64_t calls_per_component_max = 0;
  std::uint64_t calls_per_task_max = 0;
  std::vector<CustomRule> rules = {};
  std::string recogniser_url = {};  // an endpoint of Presidio's analyzer API; empty: none
  std::string recogniser_language = "en";

  [[nodiscard]] bool needs_tasks() const {
    return !task_actions.empty() || calls_per_task_max > 0 ||
           std::ranges::contains(actions, Action::paraphrase);
  }
};

// invalid_input with the line of what is wrong; defaults where there is no [curate] table.
Result<CurateSettings> parse_curate_settings(std::string_view toml_text);

}  // namespace understudy::s2
