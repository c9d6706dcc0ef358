#include "steps/s2_curate/surrogates.hpp"

#include <set>
#include <utility>

#include "adapters/text/phone_numbers.hpp"
#include "base/check.hpp"
#include "steps/s2_curate/surrogate_forms.hpp"

namespace understudy::s2 {

namespace {

constexpr std::uint32_t attempts_max = 4096;
constexpr std::uint32_t attempts_for_valid_phone = 16;
// So many people of one data set share a mail domain that it singles out none of them
// (k-anonymity).
constexpr std::size_t addresses_to_keep_domain = 10;

bool is_assignable_phone(std::string_view national, const EntityFacts& facts) {
  if (facts.phone_countries.empty()) return true;
  const int country = *facts.phone_countries.begin();
  const auto number =
      text::parse_phone_number("+" + std::to_string(country) + std::string(national));
  return number && number->valid;
}

// How many addresses the data set has under each registered name.
std::map<std::string, std::size_t> count_addresses(const EntityTable& originals) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [original, facts] : originals) {
    if (original.type == EntityType::email) ++counts[std::string(registered_name(original.value))];
  }
  return counts;
}

}  // namespace

bool has_surrogate(EntityType type) {
  switch (type) {
    case EntityType::person:
    case EntityType::location:
    case EntityType::organization:
    case EntityType::nrp:
    case EntityType::date_time:
    case EntityType::url: return false;
    default: return true;
  }
}

Result<Surrogates> Surrogates::assign(const SecretText& key, const EntityTable& originals) {
  Surrogates surrogates;
  const auto addresses = count_addresses(originals);
  std::set<std::pair<EntityType, std::string>> taken;
  const auto is_free = [&](EntityType type, const std::string& drawn) {
    return !originals.contains({.type = type, .value = drawn}) && !taken.contains({type, drawn});
  };
  for (const auto& [original, facts] : originals) {
    Draw draw{.kind = facts.kind};
    if (original.type == EntityType::secret) {
      surrogates.values_[original] = draw_surrogate(key, original, draw);
      continue;
    }
    const bool shared =
        original.type == EntityType::email &&
        addresses.at(std::string(registered_name(original.value))) >= addresses_to_keep_domain;
    if (shared) draw.domain = EmailDomain::kept;
    std::string drawn = draw_surrogate(key, original, draw);
    const bool phone = original.type == EntityType::phone;
    while (!is_free(original.type, drawn) || (phone && draw.attempt < attempts_for_valid_phone &&
                                              !is_assignable_phone(drawn, facts))) {
      if (++draw.attempt == attempts_max) {
        return fail(ErrorCode::exhausted,
                    "there are more " + std::string(to_string(original.type)) +
                        " values of one form than surrogates of that form",
                    "curate fewer calls at once");
      }
      drawn = draw_surrogate(key, original, draw);
    }
    taken.emplace(original.type, drawn);
    surrogates.values_[original] = std::move(drawn);
  }
  return surrogates;
}

std::string Surrogates::write(const Entity& entity, std::string_view occurrence) const {
  const auto found = values_.find({.type = entity.type, .value = entity.value});
  CHECK(found != values_.end(), "only known values are replaced");
  return write_like(entity.type, found->second, occurrence);
}

}  // namespace understudy::s2
