// How a stand-in of each type is drawn: same form, other content. Private to s2_curate; Surrogates
// sees to it that they differ. Pure functions of their arguments.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "steps/s2_curate/known_values.hpp"

namespace understudy::s2 {

// The name that an e-mail's domain is registered under: "acme" of mary@mail.acme.co.uk.
std::string_view registered_name(std::string_view email);

enum class EmailDomain { replaced, kept };

// The `attempt`-th candidate for a value, normalised. Attempts from 64 on may be longer than the
// original, so that short forms do not run out.
struct Draw {
  std::string kind;  // of a secret
  EmailDomain domain = EmailDomain::replaced;
  std::uint32_t attempt = 0;
};
std::string draw_surrogate(const SecretText& key, const EntityKey& original, const Draw& draw);

// A normalised surrogate as it must stand in place of `occurrence`.
std::string write_like(EntityType type, std::string_view surrogate, std::string_view occurrence);

}  // namespace understudy::s2
