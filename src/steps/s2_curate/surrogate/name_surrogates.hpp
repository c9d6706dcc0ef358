// Stand-ins for names, part by part, so that "Jane Doe", "Jane", "J. Doe", "jane_doe_17" and the
// "jdoe" of an e-mail address stay one person: each part has one stand-in in its scope, whose first
// letter depends on the part's first letter only. Particles ("van", "de") stay. Immutable once made
// and thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.hpp"
#include "steps/s2_curate/detect/gazetteer.hpp"
#include "steps/s2_curate/surrogate/entity_table.hpp"

namespace understudy::s2 {

class NameSurrogates {
 public:
  // Of all persons of the table. No part of a stand-in is a part of an original.
  static NameSurrogates assign(const SecretText& key, const EntityTable& originals);

  // Each part in its own letter case, separators as they are; nothing for a name that was not
  // assigned.
  [[nodiscard]] std::optional<std::string> write(std::string_view occurrence, Scope scope) const;

  // The local part of an e-mail address that consists of known names at least in part.
  [[nodiscard]] std::optional<std::string> email_local(std::string_view local, Scope scope) const;

 private:
  explicit NameSurrogates(const SecretText& key) : key_(&key) {}
  [[nodiscard]] std::string draw(std::string_view part, Scope scope, std::uint32_t attempt) const;
  [[nodiscard]] char initial(char letter, Scope scope) const;
  [[nodiscard]] const std::string* find(std::string_view part, Scope scope) const;
  [[nodiscard]] std::optional<std::string> token(std::string_view letters, Scope scope) const;

  const SecretText* key_;  // outlives it
  Gazetteer gazetteer_;
  std::map<std::pair<Scope, std::string>, std::string> parts_;
};

}  // namespace understudy::s2
