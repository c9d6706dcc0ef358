// A piece of personal data or a secret found in a text: what it is, where, and its normalised
// value, which is equal for every way of writing it (a card with or without spaces). Values are
// plaintext: they live in memory during curation only and are never logged.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::s2 {

enum class EntityType { secret, email, iban, card, ip, phone };  // earlier wins an overlap

struct Entity {
  EntityType type = EntityType::secret;
  std::size_t begin = 0;  // bytes [begin, end) of the text
  std::size_t end = 0;
  std::string value = {};  // e-mail: lower case; card: digits; IBAN: compact upper case;
                           // phone: national digits without leading zeros; secret: as it is
  std::string kind = {};   // of a secret: "github_token"
  int phone_country = 0;   // calling code, where the text or the region says so
};

std::string_view to_string(EntityType type);

// The entities of one text without overlaps, in order; where two overlap the more specific type
// stays, of one type the longer.
std::vector<Entity> without_overlaps(std::vector<Entity> entities);

}  // namespace understudy::s2
