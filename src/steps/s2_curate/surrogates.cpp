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

bool is_assignable_phone(std::string_view national, const EntityFacts& facts) {
  if (facts.phone_countries.empty()) return true;
  const int country = *facts.phone_countries.begin();
  const auto number =
      text::parse_phone_number("+" + std::to_string(country) + std::string(national));
  return number && number->valid;
}

}  // namespace

Result<Surrogates> Surrogates::assign(const SecretText& key, const EntityTable& originals) {
  Surrogates surrogates;
  std::set<std::pair<EntityType, std::string>> taken;
  for (const auto& [original, facts] : originals) {
    if (original.type == EntityType::secret) {
      surrogates.values_[original] = draw_surrogate(key, original, facts, 0);
      continue;
    }
    std::uint32_t attempt = 0;
    while (true) {
      std::string drawn = draw_surrogate(key, original, facts, attempt++);
      const bool better_exists = original.type == EntityType::phone &&
                                 attempt < attempts_for_valid_phone &&
                                 !is_assignable_phone(drawn, facts);
      if (!better_exists && !originals.contains({.type = original.type, .value = drawn}) &&
          taken.emplace(original.type, drawn).second) {
        surrogates.values_[original] = std::move(drawn);
        break;
      }
      if (attempt == attempts_max) {
        return fail(ErrorCode::exhausted,
                    "there are more " + std::string(to_string(original.type)) +
                        " values of one form than surrogates of that form",
                    "curate fewer calls at once");
      }
    }
  }
  return surrogates;
}

std::string Surrogates::write(const Entity& entity, std::string_view occurrence) const {
  const auto found = values_.find({.type = entity.type, .value = entity.value});
  CHECK(found != values_.end(), "only known values are replaced");
  return write_like(entity.type, found->second, occurrence);
}

}  // namespace understudy::s2
