#include "steps/s2_curate/surrogate/surrogates.hpp"

#include <optional>
#include <unordered_set>
#include <utility>

#include "adapters/text/hashing.hpp"
#include "adapters/text/phone_numbers.hpp"
#include "base/check.hpp"
#include "steps/s2_curate/detect/id_finder.hpp"
#include "steps/s2_curate/surrogate/date_surrogates.hpp"
#include "steps/s2_curate/surrogate/id_surrogates.hpp"
#include "steps/s2_curate/surrogate/surrogate_forms.hpp"

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

using AddressCounts = std::map<std::pair<Scope, std::string>, std::size_t>;

// How many addresses a scope has under each registered name.
AddressCounts count_addresses(const EntityTable& originals) {
  AddressCounts counts;
  for (const auto& [original, facts] : originals) {
    if (original.type == EntityType::email)
      ++counts[{original.scope, std::string(registered_name(original.value))}];
  }
  return counts;
}

// Hashes of values: a chance hit only costs another draw.
class Free {
 public:
  explicit Free(const EntityTable& originals) {
    for (const auto& [original, facts] : originals)
      originals_.insert(hash(original.type, original.value, 0));
  }
  bool take(const EntityKey& original, const std::string& drawn) {
    if (originals_.contains(hash(original.type, drawn, 0))) return false;
    return taken_.insert(hash(original.type, drawn, original.scope)).second;
  }

 private:
  static std::uint64_t hash(EntityType type, std::string_view value, Scope scope) {
    return text::hash64(value, scope * entity_type_count + static_cast<std::uint64_t>(type));
  }
  std::unordered_set<std::uint64_t> originals_;
  std::unordered_set<std::uint64_t> taken_;
};

class Assigning {
 public:
  Assigning(const SecretText& key, const EntityTable& originals, const IdFinder& ids,
            const NameSurrogates& names)
      : key_(key),
        ids_(ids),
        names_(names),
        addresses_(count_addresses(originals)),
        free_(originals) {}

  // Nothing where all surrogates of a short form are taken.
  std::optional<std::string> draw(const EntityTable::value_type& entry) {
    const auto& [original, facts] = entry;
    Draw draw{.kind = facts.kind};
    if (original.type == EntityType::secret) return draw_surrogate(key_, original, draw);
    if (original.type == EntityType::email) {
      const auto shared =
          addresses_.at({original.scope, std::string(registered_name(original.value))});
      if (shared >= addresses_to_keep_domain) draw.domain = EmailDomain::kept;
      draw.local =
          names_.email_local(original.value.substr(0, original.value.find('@')), original.scope);
    }
    for (; draw.attempt < attempts_max; ++draw.attempt) {
      std::optional<std::string> drawn = is_id(original.type)
                                             ? draw_id(key_, ids_, entry, draw.attempt)
                                             : draw_surrogate(key_, original, draw);
      if (!drawn) continue;
      if (original.type == EntityType::phone && draw.attempt < attempts_for_valid_phone &&
          !is_assignable_phone(*drawn, facts))
        continue;
      if (free_.take(original, *drawn)) return drawn;
    }
    return std::nullopt;
  }

 private:
  const SecretText& key_;
  const IdFinder& ids_;
  const NameSurrogates& names_;
  AddressCounts addresses_;
  Free free_;
};

}  // namespace

std::string mask_of(EntityType type) { return "<" + std::string(presidio_name(type)) + ">"; }

Result<Surrogates> Surrogates::assign(const SecretText& key, const EntityTable& originals) {
  Surrogates surrogates(NameSurrogates::assign(key, originals));
  surrogates.originals_ = &originals;
  const IdFinder ids = TRY(IdFinder::create());
  Assigning assigning(key, originals, ids, surrogates.names_);
  const DateSurrogates dates(key);
  for (const auto& entry : originals) {
    const EntityKey& original = entry.first;
    if (original.type == EntityType::person) continue;
    if (original.type == EntityType::date_time) {
      surrogates.values_[&original] = dates.write(original.value, original.scope);
    } else if (auto drawn = assigning.draw(entry)) {
      surrogates.values_[&original] = std::move(*drawn);
    }
  }
  return surrogates;
}

std::string Surrogates::write(const Entity& entity, Scope scope,
                              std::string_view occurrence) const {
  if (entity.type == EntityType::person)
    return names_.write(occurrence, scope).value_or(mask_of(entity.type));
  const auto original = originals_->find(key_of(entity, scope));
  CHECK(original != originals_->end(), "only known values are replaced");
  const auto found = values_.find(&original->first);
  if (found == values_.end()) return mask_of(entity.type);
  return write_like(entity.type, found->second, occurrence);
}

}  // namespace understudy::s2
