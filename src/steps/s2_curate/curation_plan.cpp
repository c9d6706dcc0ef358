#include "steps/s2_curate/curation_plan.hpp"

#include <algorithm>
#include <format>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "steps/s2_curate/duplicates/decontamination.hpp"
#include "steps/s2_curate/duplicates/splits.hpp"

namespace understudy::s2 {

Result<CurationPlan> CurationPlan::create(const std::filesystem::path& scratch) {
  return CurationPlan(TRY(ShingleStore::create(scratch)));
}

Status CurationPlan::add(const Examined& examined) {
  const auto row = static_cast<std::uint32_t>(rows_.size());
  rows_.push_back({.call = examined.call, .reason = examined.reason});
  if (examined.reason != DropReason::none) return {};
  rows_[row].present = examined.paraphrase.present;
  rows_[row].derived = examined.paraphrase.derived;
  Asked& asked = asked_[examined.request];
  ++asked.calls;
  const auto [first, is_new] =
      first_of_.try_emplace(std::pair(examined.pair[0], examined.pair[1]), row);
  if (!is_new) {
    rows_[row].stands_for_others = false;
    ++rows_[first->second].repeats;
    return {};
  }
  ++asked.answers;
  kept_.push_back({.row = row,
                   .task = examined.task,
                   .session = examined.session,
                   .request = examined.request});
  return shingles_.add(examined.shingles);
}

void CurationPlan::count_askings() {
  for (const Kept& kept : kept_) rows_[kept.row].asked = asked_[kept.request].calls;
  for (const auto& [request, asked] : asked_) {
    counts_.asked_again += asked.calls > 1 ? 1 : 0;
    counts_.with_other_answers += asked.answers > 1 ? 1 : 0;
  }
  asked_.clear();
  first_of_.clear();
}

// Of each group of the train split the calls with the smallest keyed hashes stay.
void CurationPlan::apply_cap(const std::vector<std::uint32_t>& groups, std::uint64_t cap,
                             const SecretText& key) {
  if (cap == 0) return;
  const SecretText sip_key(key.reveal().substr(0, crypto::siphash_key_bytes));
  std::unordered_map<std::uint32_t, std::vector<std::pair<std::uint64_t, std::uint32_t>>> members;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const PlannedCall& row = rows_[kept_[i].row];
    if (row.reason != DropReason::none || row.split != Split::train || groups[i] == UINT32_MAX)
      continue;
    members[groups[i]].emplace_back(crypto::siphash(sip_key, std::format("{:x}", row.call)),
                                    kept_[i].row);
  }
  for (auto& [group, calls] : members) {
    std::ranges::sort(calls);
    for (std::size_t i = static_cast<std::size_t>(cap); i < calls.size(); ++i)
      rows_[calls[i].second].reason = DropReason::over_cap;
  }
}

Status CurationPlan::decide(const CurateSettings& settings, const SecretText& key) {
  count_askings();
  TRY(shingles_.flush());
  const std::vector<std::uint32_t> components = TRY(near_duplicate_components(shingles_));
  std::vector<SplitItem> items;
  items.reserve(kept_.size());
  std::vector<std::uint32_t> sizes(kept_.size());
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    ++sizes[components[i]];
    items.push_back(
        {.session = kept_[i].session, .request = kept_[i].request, .component = components[i]});
  }
  for (const std::uint32_t size : sizes) {
    counts_.components += size > 1 ? 1 : 0;
    counts_.near_duplicates += size > 1 ? size - 1 : 0;
  }
  const Splits splits = assign_splits(items, key);
  counts_.oversized_components = splits.oversized_components;
  const std::vector<bool> contaminated = TRY(find_contaminated(shingles_, splits.of));
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    rows_[kept_[i].row].split = splits.of[i];
    rows_[kept_[i].row].rank = splits.ranks[i];
    if (contaminated[i]) rows_[kept_[i].row].reason = DropReason::contaminated;
  }
  apply_cap(components, settings.calls_per_component_max, key);
  std::vector<std::uint32_t> tasks;
  for (const Kept& kept : kept_) tasks.push_back(kept.task == 0 ? UINT32_MAX : kept.task);
  apply_cap(tasks, settings.calls_per_task_max, key);
  kept_.clear();
  return {};
}

}  // namespace understudy::s2
