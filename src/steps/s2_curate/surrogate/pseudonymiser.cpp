#include "steps/s2_curate/surrogate/pseudonymiser.hpp"

#include <algorithm>
#include <utility>

#include "steps/s2_curate/surrogate/call_values.hpp"

namespace understudy::s2 {

bool collect_entities(TextScanner& scanner, std::string_view body, const Treatment& treatment,
                      EntityTable& table) {
  bool allowed = true;
  for (const Entity& entity : scanner.scan(body)) {
    switch (action_of(treatment.actions, entity.type)) {
      case Action::keep: break;
      case Action::drop: allowed = false; break;
      case Action::mask:
      case Action::surrogate:
      case Action::paraphrase: add_to(table, entity, treatment.scope); break;
    }
  }
  return allowed;
}

Result<Pseudonymiser> Pseudonymiser::create(const Detector& detector, const EntityTable& originals,
                                            const SecretText& key) {
  Surrogates surrogates = TRY(Surrogates::assign(key, originals));
  return Pseudonymiser(detector, originals, std::move(surrogates));
}

// What the detector finds here is an original unless the walked text differs from the one that was
// scanned; then nobody assigned a surrogate, and the re-scan decides.
std::vector<Entity> Pseudonymiser::entities_of(const Leaf& leaf, const Treatment& treatment,
                                               const CallValues& own) const {
  std::vector<Entity> entities = detector_.detect(leaf);
  std::erase_if(entities, [&](const Entity& entity) {
    return action_of(treatment.actions, entity.type) == Action::keep ||
           !originals_.contains(key_of(entity, treatment.scope));
  });
  for (Entity& entity : known_.find(leaf.text, treatment.scope)) {
    if (action_of(treatment.actions, entity.type) != Action::keep)
      entities.push_back(std::move(entity));
  }
  own.find(leaf.text, entities);
  return without_overlaps(std::move(entities));
}

bool Pseudonymiser::has_known(std::string_view text, const Treatment& treatment,
                              const CallValues& own) const {
  if (own.is_in(text)) return true;
  return std::ranges::any_of(known_.find(text, treatment.scope), [&](const Entity& entity) {
    return action_of(treatment.actions, entity.type) != Action::keep;
  });
}

bool Pseudonymiser::has_original(const Leaf& leaf, const Treatment& treatment,
                                 const CallValues& own) const {
  if (has_known(leaf.text, treatment, own)) return true;
  return std::ranges::any_of(detector_.detect(leaf), [&](const Entity& entity) {
    return action_of(treatment.actions, entity.type) != Action::keep &&
           originals_.contains(key_of(entity, treatment.scope));
  });
}

}  // namespace understudy::s2
