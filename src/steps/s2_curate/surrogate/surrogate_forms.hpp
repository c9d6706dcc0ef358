// How a stand-in of each type is drawn: same form, other content. Private to s2_curate; Surrogates
// sees to it that they differ. Pure functions of their arguments.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "steps/s2_curate/surrogate/entity_table.hpp"
#include "steps/s2_curate/surrogate/keyed_stream.hpp"

namespace understudy::s2 {

// Letters for letters of the same kind (vowels, consonants, other scripts), digits for digits; all
// else as it is.
std::string stand_in(std::string_view text, KeyedStream& stream);

// Letter case position by position; what is longer than the occurrence stays as it is.
std::string with_case_of(std::string_view surrogate, std::string_view occurrence);

// What the stream of a value's `attempt`-th candidate is keyed with.
std::string label_of(const EntityKey& original, std::uint32_t attempt);

// The name that an e-mail's domain is registered under: "acme" of mary@mail.acme.co.uk.
std::string_view registered_name(std::string_view email);

enum class EmailDomain { replaced, kept };

// The `attempt`-th candidate for a value, normalised. Attempts from 64 on may be longer than the
// original, so that short forms do not run out.
struct Draw {
  std::string kind = {};  // of a secret
  EmailDomain domain = EmailDomain::replaced;
  std::uint32_t attempt = 0;
  std::optional<std::string> local = {};  // of an e-mail that is made of a known name
};
std::string draw_surrogate(const SecretText& key, const EntityKey& original, const Draw& draw);

// A normalised surrogate as it must stand in place of `occurrence`.
std::string write_like(EntityType type, std::string_view surrogate, std::string_view occurrence);

}  // namespace understudy::s2
