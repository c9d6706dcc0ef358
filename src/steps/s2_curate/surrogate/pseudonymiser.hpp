// Replaces personal data in the request and response bodies of calls. Two passes over a data set:
// the first says what is there (collect()), then, with the surrogates of all of it, a
// PseudonymWriter replaces it and proves that nothing is left. The Pseudonymiser is immutable once
// made and thread-safe; each thread has a writer of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "steps/s2_curate/detect/detector.hpp"
#include "steps/s2_curate/detect/text_scanner.hpp"
#include "steps/s2_curate/surrogate/actions.hpp"
#include "steps/s2_curate/surrogate/known_values.hpp"
#include "steps/s2_curate/surrogate/number_variation.hpp"
#include "steps/s2_curate/surrogate/surrogates.hpp"

namespace understudy::s2 {

using EntityCounts = std::array<std::uint64_t, entity_type_count>;  // by EntityType

// How the call's personal data is to be treated. Equal ids: equal actions.
struct Treatment {
  Scope scope = 0;
  Actions actions = default_actions();
  std::uint64_t actions_id = 0;
  std::optional<NumberVariation> numbers = {};
};

// Adds what one JSON body holds to `table`; false where an entity's action is to drop the call.
bool collect_entities(TextScanner& scanner, std::string_view body, const Treatment& treatment,
                      EntityTable& table);

class CallValues;

class Pseudonymiser {
 public:
  // All references must outlive it.
  static Result<Pseudonymiser> create(const Detector& detector, const EntityTable& originals,
                                      const SecretText& key);

 private:
  friend class PseudonymWriter;  // and its state
  Pseudonymiser(const Detector& detector, const EntityTable& originals, Surrogates surrogates)
      : detector_(detector),
        originals_(originals),
        known_(originals),
        surrogates_(std::move(surrogates)) {}
  [[nodiscard]] std::vector<Entity> entities_of(const Leaf& leaf, const Treatment& treatment,
                                                const CallValues& own) const;
  // Is an original of the treatment's scope, or of the call, in the leaf?
  [[nodiscard]] bool has_original(const Leaf& leaf, const Treatment& treatment,
                                  const CallValues& own) const;
  [[nodiscard]] bool has_known(std::string_view text, const Treatment& treatment,
                               const CallValues& own) const;

  const Detector& detector_;
  const EntityTable& originals_;
  KnownValues known_;
  Surrogates surrogates_;
};

}  // namespace understudy::s2
