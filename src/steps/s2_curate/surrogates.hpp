// Stand-ins for personal values. A surrogate is a function of the pseudonym key, the type and the
// normalised value, so that one value has one surrogate in every prompt, tool call, tool result and
// answer, in every run. It has the original's form, because a model that is trained to copy must
// see what it will read live: as many digits in the same groups, a card of the same network with a
// valid check digit, an IBAN of the same country, an address of the same family, a number with the
// same calling code. Secrets become "[REDACTED:kind]" and cannot be told apart.
// A mail domain stays as it is where everybody (gmail.com) or ten or more people of the data set
// have it: it singles out nobody, and a model that never saw it would learn to write invented ones.
// Within a data set no two values share a surrogate and none equals an original. Immutable once
// made and thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "steps/s2_curate/known_values.hpp"

namespace understudy::s2 {

// Names, places, dates and links stay: what they are replaced by is up to the task.
bool has_surrogate(EntityType type);

class Surrogates {
 public:
  // exhausted where a form is so short that no free surrogate is left.
  static Result<Surrogates> assign(const SecretText& key, const EntityTable& originals);

  // The surrogate of `entity` in the writing of `occurrence` (its grouping, prefix, letter case).
  // The entity must be one of the originals.
  [[nodiscard]] std::string write(const Entity& entity, std::string_view occurrence) const;

 private:
  std::map<EntityKey, std::string> values_;  // normalised surrogates; none for secrets
};

}  // namespace understudy::s2
