// Stand-ins for personal values. A surrogate is a function of the pseudonym key, the scope, the
// type and the normalised value, so that one value has one surrogate in every prompt, tool call,
// tool result and answer, in every run. It has the original's form, because a model that is trained
// to copy must see what it will read live: as many digits in the same groups, a card of the same
// network and a national id with valid check digits, an IBAN of the same country, an address of the
// same family, a number with the same calling code; names and the addresses made of them agree.
// Secrets become "[REDACTED:kind]" and cannot be told apart. A mail domain stays as it is where
// everybody (gmail.com) or ten or more people of the scope have it: it singles out nobody, and a
// model that never saw it would learn to write invented ones.
// Within a scope no two values share a surrogate, and none equals an original of any scope.
// Immutable once made and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "steps/s2_curate/surrogate/entity_table.hpp"
#include "steps/s2_curate/surrogate/name_surrogates.hpp"

namespace understudy::s2 {

class Surrogates {
 public:
  // Key and table must outlive it.
  static Result<Surrogates> assign(const SecretText& key, const EntityTable& originals);

  // The surrogate of `entity` in the writing of `occurrence` (its grouping, prefix, letter case).
  // The entity must be one of the originals, or a part of a name of theirs. Forms that are so short
  // that no free surrogate is left are masked: "<UK_POSTCODE>".
  [[nodiscard]] std::string write(const Entity& entity, Scope scope,
                                  std::string_view occurrence) const;

 private:
  explicit Surrogates(NameSurrogates names) : names_(std::move(names)) {}
  NameSurrogates names_;
  const EntityTable* originals_ = nullptr;
  // Normalised surrogates, by the table's entry; none for names.
  std::unordered_map<const EntityKey*, std::string> values_;
};

std::string mask_of(EntityType type);

}  // namespace understudy::s2
