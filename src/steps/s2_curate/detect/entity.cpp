#include "steps/s2_curate/detect/entity.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace understudy::s2 {

std::vector<Entity> without_overlaps(std::vector<Entity> entities) {
  if (entities.size() < 2) return entities;
  std::ranges::sort(entities, {}, [](const Entity& entity) {
    return std::tuple(-entity.score, entity.type, entity.begin - entity.end, entity.begin);
  });
  std::map<std::size_t, Entity> kept;  // by begin
  for (Entity& entity : entities) {
    const auto next = kept.lower_bound(entity.begin);
    if (next != kept.end() && next->second.begin < entity.end) continue;
    if (next != kept.begin() && std::prev(next)->second.end > entity.begin) continue;
    const std::size_t begin = entity.begin;
    kept.emplace(begin, std::move(entity));
  }
  std::vector<Entity> result;
  result.reserve(kept.size());
  for (auto& [begin, entity] : kept) result.push_back(std::move(entity));
  return result;
}

}  // namespace understudy::s2
