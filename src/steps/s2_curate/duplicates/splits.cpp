#include "steps/s2_curate/duplicates/splits.hpp"

#include <algorithm>
#include <format>
#include <unordered_map>

#include "records/task_splits.hpp"
#include "steps/s2_curate/duplicates/groups.hpp"
#include "steps/s2_curate/surrogate/keyed_stream.hpp"

namespace understudy::s2 {

namespace {

constexpr std::uint32_t thousandths = 1000;
constexpr auto train_below = static_cast<std::uint32_t>(thousandths * train_share + 0.5);
constexpr auto calibration_below =
    train_below + static_cast<std::uint32_t>(thousandths * calibration_share + 0.5);
constexpr std::uint32_t half_rank = 1U << 16U;
constexpr std::size_t oversized_share = 10;  // a tenth
constexpr std::size_t oversized_min = 50;    // small data sets are alike by chance

struct Place {
  Split split = Split::train;
  std::uint32_t rank = 0;
};

Place place_of(const SecretText& key, std::uint64_t group) {
  KeyedStream stream(key, std::format("split/{:016x}", group));
  const std::uint32_t drawn = stream.below(thousandths);
  const Split split = drawn < train_below         ? Split::train
                      : drawn < calibration_below ? Split::calibration
                                                  : Split::test;
  return {.split = split, .rank = stream.below(half_rank) * half_rank + stream.below(half_rank)};
}

using FirstOf = std::unordered_map<std::uint64_t, std::uint32_t>;

}  // namespace

Splits assign_splits(const std::vector<SplitItem>& items, const SecretText& key) {
  const auto count = static_cast<std::uint32_t>(items.size());
  std::vector<std::uint32_t> sizes(count);
  for (const SplitItem& item : items) ++sizes[item.component];
  const std::size_t size_max = std::max(oversized_min, items.size() / oversized_share);
  Splits splits;
  splits.oversized_components = static_cast<std::uint64_t>(
      std::ranges::count_if(sizes, [&](std::uint32_t size) { return size > size_max; }));

  Groups groups(count);
  {
    FirstOf by_session;
    FirstOf by_request;
    for (std::uint32_t i = 0; i < count; ++i) {
      const SplitItem& item = items[i];
      if (item.session != 0) groups.join(i, by_session.try_emplace(item.session, i).first->second);
      groups.join(i, by_request.try_emplace(item.request, i).first->second);
      if (sizes[item.component] <= size_max) groups.join(i, item.component);
    }
  }
  // A group is named by its smallest session, or request where it has none: the order of the calls
  // does not matter.
  std::vector<std::uint64_t> names(count, UINT64_MAX);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint64_t& name = names[groups.root_of(i)];
    name = std::min(name, items[i].session != 0 ? items[i].session : items[i].request);
  }
  splits.of.reserve(count);
  splits.ranks.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Place place = place_of(key, names[groups.root_of(i)]);
    splits.of.push_back(place.split);
    splits.ranks.push_back(place.rank);
  }
  return splits;
}

}  // namespace understudy::s2
