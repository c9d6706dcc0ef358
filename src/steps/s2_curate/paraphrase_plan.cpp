#include "steps/s2_curate/paraphrase_plan.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "steps/s2_curate/surrogate/entity_table.hpp"

namespace understudy::s2 {

namespace {

constexpr std::uint64_t derived_share_max_inverse = 20;  // off above 5 % of the calls
constexpr std::size_t seen_numbers_max = 8192;
constexpr std::uint64_t forgotten_share_inverse = 8;
constexpr std::uint64_t fixed_share_inverse = 2;  // in half of the prompts: the template's

constexpr TypeBits bit(std::size_t place) { return static_cast<TypeBits>(1U << place); }
constexpr TypeBits number_bit = bit(0);
static_assert(paraphrase_types[0] == EntityType::plain_number);
static_assert(paraphrase_types.size() <= 8, "a bit each");

void add_numbers(ParaphraseFacts& facts, std::string_view request, std::string_view response) {
  facts.numbers = numbers_of_messages(request);
  std::ranges::sort(facts.numbers);
  const auto repeated = std::ranges::unique(facts.numbers);
  facts.numbers.erase(repeated.begin(), repeated.end());
  const std::vector<ScaledNumber> answered = numbers_of_messages(response);
  if (!facts.numbers.empty() || !answered.empty()) facts.present |= number_bit;
  if (!std::ranges::all_of(answered, [&](ScaledNumber number) {
        return std::ranges::binary_search(facts.numbers, number);
      }))
    facts.derived |= number_bit;
}

}  // namespace

TypeBits bits_of(EntityType type) {
  const auto place = std::ranges::find(paraphrase_types, type) - paraphrase_types.begin();
  return place == std::ssize(paraphrase_types) ? TypeBits{0} : bit(static_cast<std::size_t>(place));
}

bool varies(TypeBits bits, EntityType type) { return (bits & bits_of(type)) != 0; }

TypeBits paraphrased(const Actions& actions) {
  TypeBits bits = 0;
  for (std::size_t i = 0; i < paraphrase_types.size(); ++i) {
    if (action_of(actions, paraphrase_types[i]) == Action::paraphrase) bits |= bit(i);
  }
  return bits;
}

ParaphraseFacts paraphrase_facts(TypeBits wanted, TextScanner& scanner, std::string_view request,
                                 std::string_view response) {
  ParaphraseFacts facts;
  if ((wanted & number_bit) != 0) add_numbers(facts, request, response);
  if ((wanted & ~number_bit) == 0) return facts;
  std::set<std::pair<EntityType, std::string>> asked;
  for (const Entity& entity : scanner.scan(request)) {
    const TypeBits of = bits_of(entity.type) & wanted;
    if (of == 0) continue;
    facts.present |= of;
    asked.emplace(entity.type, normalise(entity));
  }
  for (const Entity& entity : scanner.scan(response)) {
    const TypeBits of = bits_of(entity.type) & wanted;
    if (of == 0) continue;
    facts.present |= of;
    if (!asked.contains({entity.type, normalise(entity)})) facts.derived |= of;
  }
  return facts;
}

bool TypeTally::off() const { return derived * derived_share_max_inverse > calls; }

void ParaphrasePlan::add(std::uint32_t task, const ParaphraseFacts& facts) {
  if (facts.present == 0) return;
  OfTask& of = tasks_[task];
  for (std::size_t i = 0; i < paraphrase_types.size(); ++i) {
    of.tallies[i].calls += (facts.present & bit(i)) != 0 ? 1U : 0U;
    of.tallies[i].derived += (facts.derived & bit(i)) != 0 ? 1U : 0U;
  }
  if (facts.numbers.empty()) return;
  ++of.calls_with_numbers;
  for (const ScaledNumber number : facts.numbers) ++of.seen[number];
  if (of.seen.size() > seen_numbers_max) {
    std::erase_if(of.seen, [&](const auto& entry) {
      return entry.second * forgotten_share_inverse < of.calls_with_numbers;
    });
  }
}

void ParaphrasePlan::decide() {
  for (auto& [task, of] : tasks_) {
    for (const auto& [number, calls] : of.seen) {
      if (calls > 1 && calls * fixed_share_inverse >= of.calls_with_numbers)
        of.fixed.insert(number);
    }
    of.seen.clear();
  }
}

TypeBits ParaphrasePlan::allowed(std::uint32_t task, TypeBits wanted, TypeBits derived) const {
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return 0;
  TypeBits bits = 0;
  for (std::size_t i = 0; i < paraphrase_types.size(); ++i) {
    if ((wanted & ~derived & bit(i)) != 0 && !found->second.tallies[i].off()) bits |= bit(i);
  }
  return bits;
}

const FixedNumbers& ParaphrasePlan::fixed(std::uint32_t task) const {
  static const FixedNumbers none;
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? none : found->second.fixed;
}

bool ParaphrasePlan::is_off(std::uint32_t task, EntityType type) const {
  return tasks_.contains(task) && bits_of(type) != 0 && allowed(task, bits_of(type), 0) == 0;
}

}  // namespace understudy::s2
