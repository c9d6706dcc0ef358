// What personal numbers, documents and plates look like: one row for each way of writing one. The
// expression finds a candidate, the validator decides (check digits, dates, ranges). A row's `bare`
// score is for a number that stands alone: a matching check digit is weak evidence (one ten-digit
// id in eleven has one), so only forms that nothing else has reach the usual threshold of 0.5. A
// context word near it, or a telling JSON key, makes it `with_context`. Pure.
#pragma once

#include <span>
#include <string_view>

#include "steps/s2_curate/detect/entity_types.hpp"

namespace understudy::s2 {

enum class Verdict {
  no,          // cannot be one
  unverified,  // the form is right, the check digits are not, or there are none
  yes,
};

struct IdRule {
  EntityType type = EntityType::custom;
  std::string_view expression;                 // letter case is ignored
  Verdict (*check)(std::string_view compact);  // upper-case letters and digits only
  double bare = 0.1;
  double with_context = 0.8;
  bool any_separators = false;  // else those within one number are all the same
};

std::span<const IdRule> american_ids();
std::span<const IdRule> european_ids();
std::span<const IdRule> british_and_irish_ids();
std::span<const IdRule> german_ids();
std::span<const IdRule> asian_ids();
std::span<const IdRule> other_ids();  // Africa, Australia

// The words that announce a type, lower case, separated by "|".
struct IdContext {
  EntityType type = EntityType::custom;
  std::string_view words;
};
std::span<const IdContext> id_contexts();

}  // namespace understudy::s2
