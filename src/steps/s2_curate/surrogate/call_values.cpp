#include "steps/s2_curate/surrogate/call_values.hpp"

#include <algorithm>
#include <utility>

#include "adapters/text/hashing.hpp"
#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t name_bytes_min = 3;
constexpr std::size_t secret_bytes_min = 5;

// A password of letters alone may be any word of the text around it.
bool is_telling(const Entity& entity) {
  if (entity.type != EntityType::secret) return entity.value.size() >= name_bytes_min;
  return entity.value.size() >= secret_bytes_min && std::ranges::any_of(entity.value, is_digit);
}

}  // namespace

CallValues::CallValues(const std::vector<Entity>& found, const KnownValues& known,
                       const Treatment& treatment) {
  for (const Entity& entity : found) {
    if (action_of(treatment.actions, entity.type) == Action::keep) continue;
    if (known.repeats_everywhere(entity) || !is_telling(entity)) continue;
    values_.push_back({.type = entity.type, .value = entity.value, .kind = entity.kind});
  }
  std::ranges::sort(values_, {}, &Entity::value);
  const auto repeated = std::ranges::unique(values_, {}, &Entity::value);
  values_.erase(repeated.begin(), repeated.end());
  for (const Entity& value : values_) id_ = text::hash64(value.value, id_ + 1);
}

void CallValues::find(std::string_view text, std::vector<Entity>& found) const {
  for (const Entity& value : values_) {
    for (std::size_t at = text.find(value.value); at != std::string_view::npos;
         at = text.find(value.value, at + value.value.size())) {
      const std::size_t end = at + value.value.size();
      if (continues_word_before(text, at) || continues_word_after(text, end)) continue;
      Entity& entity = found.emplace_back(value);
      entity.begin = at;
      entity.end = end;
    }
  }
}

bool CallValues::is_in(std::string_view text) const {
  if (values_.empty()) return false;
  std::vector<Entity> found;
  find(text, found);
  return !found.empty();
}

}  // namespace understudy::s2
