#include "steps/s2_curate/surrogate/actions.hpp"

namespace understudy::s2 {

namespace {
constexpr std::array all_actions = {Action::keep, Action::mask, Action::drop, Action::surrogate,
                                    Action::paraphrase};
}

std::string_view to_string(Action action) {
  switch (action) {
    case Action::keep: return "keep";
    case Action::mask: return "mask";
    case Action::drop: return "drop";
    case Action::surrogate: return "surrogate";
    case Action::paraphrase: return "paraphrase";
  }
  return "keep";
}

std::optional<Action> parse_action(std::string_view text) {
  for (const Action action : all_actions) {
    if (text == to_string(action)) return action;
  }
  return std::nullopt;
}

Actions default_actions() {
  Actions actions;
  actions.fill(Action::surrogate);
  for (const EntityType type : paraphrase_types)
    actions[static_cast<std::size_t>(type)] = Action::keep;
  actions[static_cast<std::size_t>(EntityType::secret)] = Action::mask;
  return actions;
}

}  // namespace understudy::s2
