// Keys, tokens and passwords. Formats with a known beginning are found by pattern; what is assigned
// to a telling name ("password = ...") only where the value looks like a secret and not like code,
// a type or a form to fill in. Private to s2_curate. Pure and thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "steps/s2_curate/entity.hpp"
#include "steps/s2_curate/finders.hpp"

namespace understudy::s2 {

// A format of keys: the pattern matches its beginning, the finder reads on to its end.
struct SecretFormat {
  std::string_view kind;
  std::string_view expression;
};
std::span<const SecretFormat> secret_formats();

std::optional<Entity> find_formatted_secret(const Leaf& leaf, Place place,
                                            const SecretFormat& format);

// A telling name with its "=" or ":", for the pattern scanner (letter case ignored).
std::string_view assignment_expression();
// `place` ends behind the sign.
std::optional<Entity> find_assigned_secret(const Leaf& leaf, Place place);
// The whole leaf, where its JSON key says that it is a secret.
std::optional<Entity> find_keyed_secret(const Leaf& leaf);

}  // namespace understudy::s2
