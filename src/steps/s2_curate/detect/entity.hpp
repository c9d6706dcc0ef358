// A piece of personal data or a secret found in a text: what it is, where, how sure we are, and its
// normalised value, which is equal for every way of writing it (a card with or without spaces).
// Values are plaintext: they live in memory during curation only and are never logged.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "steps/s2_curate/detect/entity_types.hpp"

namespace understudy::s2 {

struct Entity {
  EntityType type = EntityType::secret;
  std::size_t begin = 0;  // bytes [begin, end) of the text
  std::size_t end = 0;
  std::string value = {};  // e-mail: lower case; card: digits; IBAN: compact upper case; phone:
                           // national digits without leading zeros; all others: as it is
  std::string kind = {};   // of a secret: "github_token"; of a custom rule: its name
  int phone_country = 0;   // calling code, where the text or the region says so
  double score = 1;        // 0 to 1; whoever asked for a threshold gets what reaches it
};

// The entities of one text without overlaps, in order; where two overlap the surer one stays, of
// equal ones the more specific type, of one type the longer.
std::vector<Entity> without_overlaps(std::vector<Entity> entities);

}  // namespace understudy::s2
