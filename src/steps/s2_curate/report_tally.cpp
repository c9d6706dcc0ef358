#include "steps/s2_curate/report_tally.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "adapters/text/hashing.hpp"
#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t samples_max = 3;
constexpr std::size_t sample_bytes_max = 48;

// "Xxxx Xxx", "xxxx9@xxxx.xxx".
std::string shape_of(std::string_view value) {
  std::string shape;
  for (const char c : value.substr(0, sample_bytes_max)) {
    if (is_continuation(c)) continue;
    shape += is_digit(c) ? '9' : is_upper(c) ? 'X' : is_alnum(c) || c < 0 ? 'x' : c;
  }
  return shape;
}

}  // namespace

void ReportTally::add(const SecondLook& look, const PlannedCall& planned) {
  if (!look.example) {
    report_.dropped[std::string(to_string(look.reason))] += planned.repeats;
    return;
  }
  const Example& example = *look.example;
  count_paraphrase(look, planned);
  ++report_.examples;
  report_.calls_kept += planned.repeats;
  report_.duplicates += planned.repeats - 1;
  ++report_.splits[std::string(to_string(example.split))];
  sessions_.insert(text::hash64(example.session.value));
  for (const auto& [place, count] : look.replaced) {
    const std::string type(to_string(place.first));
    report_.entities[type] += count;
    report_.places[type][place.second] += count;
  }
}

void ReportTally::count_paraphrase(const SecondLook& look, const PlannedCall& planned) {
  for (const EntityType type : paraphrase_types) {
    if (!varies(look.wanted & planned.present, type)) continue;
    ParaphraseCounts& counts =
        report_.paraphrase[tasks_.names[look.task - 1]][std::string(to_string(type))];
    ++counts.examples;
    if (varies(look.varied, type)) {
      ++counts.varied;
    } else if (paraphrase_.is_off(look.task, type)) {
      ++counts.kept["off: too many answers have values that no prompt has"];
    } else if (varies(planned.derived, type)) {
      ++counts.kept[std::string(to_string(NumbersOutcome::derived))];
    } else {
      ++counts.kept[std::string(look.numbers_kept)];
    }
  }
}

void ReportTally::count_plan(const CurationPlan& plan) {
  report_.calls_read = plan.rows().size();
  for (const PlannedCall& row : plan.rows()) {
    if (row.reason != DropReason::none)
      report_.dropped[std::string(to_string(row.reason))] += row.repeats;
  }
  const PlanCounts& counts = plan.counts();
  report_.asked_again = counts.asked_again;
  report_.with_other_answers = counts.with_other_answers;
  report_.near_duplicate_groups = counts.components;
  report_.near_duplicates = counts.near_duplicates;
  if (counts.oversized_components > 0) {
    report_.warnings.push_back(
        std::to_string(counts.oversized_components) +
        " groups of near-duplicates hold more than a tenth of the calls each; they do not tie "
        "sessions to one split");
  }
}

void ReportTally::count_values(const EntityTable& originals) {
  for (const auto& [key, facts] : originals) {
    const std::string type(to_string(key.type));
    ++report_.distinct_values[type];
    auto& samples = report_.samples[type];
    std::string sample = key.type == EntityType::secret ? facts.kind : shape_of(key.value);
    if (samples.size() < samples_max && !std::ranges::contains(samples, sample))
      samples.push_back(std::move(sample));
  }
}

CurateReport ReportTally::finish(const CurationPlan& plan, const EntityTable& originals,
                                 const CurateSettings& settings) {
  count_plan(plan);
  count_values(originals);
  for (const Action action : settings.actions) ++report_.actions[std::string(to_string(action))];
  report_.sessions = sessions_.size();
  return std::move(report_);
}

}  // namespace understudy::s2
