// What is done with each type of personal data. Pure.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "steps/s2_curate/detect/entity_types.hpp"

namespace understudy::s2 {

enum class Action {
  keep,
  mask,       // "<PERSON>": what it was and who is gone
  drop,       // the call is not used
  surrogate,  // another value of the same form, the same one everywhere
  // Numbers are varied by session, entities get surrogates, in tasks whose answers can still be
  // worked out from the prompt then; elsewhere they stay. docs/formats/curate.md.
  paraphrase,
};

std::string_view to_string(Action action);
std::optional<Action> parse_action(std::string_view text);

using Actions = std::array<Action, entity_type_count>;  // by EntityType

// What answers may turn on, so that it stays unless someone asks for more.
inline constexpr auto paraphrase_types = std::to_array<EntityType>(
    {EntityType::plain_number, EntityType::date_time, EntityType::location,
     EntityType::organization, EntityType::nrp, EntityType::url});

// Persons, numbers and contacts get surrogates; dates, places, organisations, nationalities and web
// addresses stay, because answers turn on them. Secrets are redacted, never anything else.
Actions default_actions();

inline Action action_of(const Actions& actions, EntityType type) {
  return actions[static_cast<std::size_t>(type)];
}

}  // namespace understudy::s2
