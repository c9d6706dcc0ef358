#include "quality/certificate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>

#include "base/check.hpp"
#include "base/figures.hpp"
#include "quality/binomial.hpp"

namespace understudy::quality {

namespace {

// A finer grid costs no confidence: the walk has one chance. Two or three calibration calls of a
// thousand lie between two steps; they are about half a percent of fresh calls.
constexpr std::int64_t grid_steps = 400;
// The strictest threshold keeps enough calls to bear some disagreements, so that one unlucky call
// at the top does not end the walk before it began; but no more than a part of the calls, so that
// few good ones among many bad ones are found. Simulated with 100 to 1,000 calls of seven kinds.
constexpr std::int64_t disagreements_borne_at_first_max = 3;
constexpr double share_kept_at_first_max = 0.6;
// The least sure of the kept calls are where traffic that differs from the calibration calls hurts
// first: at the threshold no more than this many times alpha may disagree, and no more than a
// third. Chosen on CLINC150's `val`, with judged calls of a model beside the calibration's: of 5 to
// 6 by quarters 5.25 lies furthest from both bars of the benchmark.
constexpr double disagreement_at_threshold_in_alphas = 5.25;
constexpr double disagreement_at_threshold_max = 1.0 / 3;
// Where a walk begins, and with which share of delta.
struct Start {
  std::int64_t step = 0;  // of the grid's
  double share = 1;
};
constexpr std::array one_start{Start{}};
// Simulated with 250 to 1,000 calls of five kinds: a model that is wrong on 2 % of its calls
// wherever it is sure keeps 0.64 of 1,000 with one start, 0.98 with three; where the walk
// does not break off, 400 calls lose less than 0.01 of the coverage and 1,000 nothing. With 250 the
// smaller share costs more than the starts bring.
constexpr std::array several_starts{Start{.step = 0, .share = 0.85},
                                    Start{.step = 160, .share = 0.075},
                                    Start{.step = 320, .share = 0.075}};
constexpr std::int64_t calls_for_several_starts = 300;
constexpr double power = 0.8;
constexpr std::int64_t disagreements_considered_max = 4000;

void check(Guarantee guarantee) {
  CHECK(guarantee.alpha > 0 && guarantee.alpha < 1 && guarantee.delta > 0 && guarantee.delta < 1,
        "alpha and delta are checked where the user gives them");
}

bool passes(Proportion disagreements, Guarantee guarantee) {
  return binomial_cdf(disagreements, guarantee.alpha) <= guarantee.delta;
}

// The fewest calls among which `disagreements` still pass.
std::int64_t calls_that_bear(std::int64_t disagreements, Guarantee guarantee) {
  std::int64_t failing = disagreements;
  std::int64_t passing = std::max<std::int64_t>(1, 2 * disagreements);
  while (!passes({.successes = disagreements, .trials = passing}, guarantee)) {
    failing = passing;
    passing *= 2;
  }
  while (passing - failing > 1) {
    const std::int64_t middle = failing + (passing - failing) / 2;
    (passes({.successes = disagreements, .trials = middle}, guarantee) ? passing : failing) =
        middle;
  }
  return passing;
}

Proportion disagreements_at(std::span<const Judged> calls, double threshold) {
  Proportion disagreements;
  for (const Judged& call : calls) {
    if (call.confidence < threshold) continue;
    ++disagreements.trials;
    disagreements.successes += call.agrees ? 0 : 1;
  }
  return disagreements;
}

std::vector<double> confidences_of(std::span<const Judged> calls) {
  std::vector<double> confidences;
  for (const Judged& call : calls) confidences.push_back(call.confidence);
  return confidences;
}

std::string short_percent(double share) { return std::format("{:.3g} %", 100 * share); }

// Calls of the task after which the certificate would probably hold, at the best threshold of the
// grid.
std::optional<std::int64_t> calls_until_it_holds(std::span<const Judged> calls,
                                                 Guarantee guarantee) {
  const auto total = static_cast<double>(calls.size());
  std::optional<std::int64_t> fewest;
  for (const auto& [threshold, share] : threshold_grid(confidences_of(calls), guarantee)) {
    const Proportion seen = disagreements_at(calls, threshold);
    const auto kept = static_cast<double>(seen.trials);
    if (kept < coverage_min * total) continue;
    // Half a call is added because none of thirty is no proof of none at all.
    const double rate = (static_cast<double>(seen.successes) + 0.5) / (kept + 1);
    if (const auto needed = calls_needed(guarantee, rate)) {
      const auto calls_then =
          static_cast<std::int64_t>(std::ceil(static_cast<double>(*needed) * total / kept));
      fewest = std::min(fewest.value_or(calls_then), calls_then);
    }
  }
  return fewest;
}

// True where some threshold of the grid may still have a rate of at most alpha.
bool alpha_is_in_reach(std::span<const Judged> calls, Guarantee guarantee) {
  return calls.empty() ||
         std::ranges::any_of(
             threshold_grid(confidences_of(calls), guarantee), [&](const GridStep& step) {
               return lower_bound(disagreements_at(calls, step.threshold), guarantee.delta) <=
                      guarantee.alpha;
             });
}

// Few calls need the whole of delta to prove anything, and their walk is short.
std::span<const Start> starts_for(std::int64_t total) {
  return total < calls_for_several_starts ? std::span<const Start>(one_start)
                                          : std::span<const Start>(several_starts);
}

// How many of `total` calls the strictest threshold keeps; depends on nothing else.
std::int64_t kept_at_first(std::int64_t total, Guarantee guarantee) {
  const auto count = static_cast<double>(total);
  std::int64_t kept = calls_that_bear(0, guarantee);
  for (std::int64_t borne = 1; borne <= disagreements_borne_at_first_max; ++borne) {
    const std::int64_t calls = calls_that_bear(borne, guarantee);
    if (static_cast<double>(calls) <= share_kept_at_first_max * count) kept = calls;
  }
  const auto worthwhile = static_cast<std::int64_t>(std::ceil(coverage_min * count));
  return std::min(total, std::max(kept, worthwhile));
}

}  // namespace

std::vector<GridStep> threshold_grid(std::span<const double> confidences, Guarantee guarantee) {
  check(guarantee);
  std::vector<double> sorted(confidences.begin(), confidences.end());
  std::erase_if(sorted, [](double confidence) { return confidence <= 0; });
  std::ranges::sort(sorted, std::greater<>());
  const auto total = static_cast<std::int64_t>(sorted.size());
  const std::span<const Start> starts = starts_for(total);
  const std::int64_t first = kept_at_first(
      total, {.alpha = guarantee.alpha, .delta = starts.front().share * guarantee.delta});
  std::vector<GridStep> grid;
  auto start = starts.begin();
  for (std::int64_t step = 0; step <= grid_steps && total > 0; ++step) {
    const std::int64_t kept = first + (total - first) * step / grid_steps;
    const double threshold = sorted[static_cast<std::size_t>(kept - 1)];
    if (grid.empty() || threshold < grid.back().threshold)
      grid.push_back({.threshold = threshold, .share = 0});
    if (start != starts.end() && start->step == step) grid.back().share += (start++)->share;
  }
  return grid;
}

Certificate certify(std::span<const Judged> calibration, Guarantee guarantee,
                    std::span<const AgreementBin> beside) {
  std::vector<Certificate> certified;  // all at once
  double level = 0;
  for (const auto& [threshold, share] : threshold_grid(confidences_of(calibration), guarantee)) {
    level += share * guarantee.delta;
    if (level <= 0) continue;
    const Proportion seen = disagreements_at(calibration, threshold);
    if (!passes(seen, {.alpha = guarantee.alpha, .delta = level})) {
      level = 0;
      continue;
    }
    certified.push_back({.threshold = threshold,
                         .kept = seen.trials,
                         .disagreements = seen.successes,
                         .bound = upper_bound(seen, level)});
  }
  if (certified.empty()) return {};
  std::vector<AgreementBin> bins = agreement_bins(calibration);
  bins.insert(bins.end(), beside.begin(), beside.end());
  const AgreementCurve curve(bins);
  const double bearable = std::min(disagreement_at_threshold_max,
                                   disagreement_at_threshold_in_alphas * guarantee.alpha);
  while (certified.size() > 1 && curve.disagreement_at(certified.back().threshold) > bearable)
    certified.pop_back();
  return certified.back();
}

std::optional<std::int64_t> calls_needed(Guarantee guarantee, double true_rate) {
  check(guarantee);
  if (true_rate >= guarantee.alpha) return std::nullopt;
  // The power grows with the disagreements that are borne, so the fewest are found by halving.
  const auto suffices = [&](std::int64_t borne) {
    const std::int64_t calls = calls_that_bear(borne, guarantee);
    return binomial_cdf({.successes = borne, .trials = calls}, true_rate) >= power;
  };
  if (!suffices(disagreements_considered_max)) return std::nullopt;
  std::int64_t failing = -1;
  std::int64_t sufficient = disagreements_considered_max;
  while (sufficient - failing > 1) {
    const std::int64_t middle = failing + (sufficient - failing) / 2;
    (suffices(middle) ? sufficient : failing) = middle;
  }
  return calls_that_bear(sufficient, guarantee);
}

Decision decide(std::span<const Judged> calibration, const Certificate& certificate,
                Guarantee guarantee) {
  const auto total = static_cast<std::int64_t>(calibration.size());
  const auto share = [&](std::int64_t part) {
    return static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(total, 1));
  };
  if (certificate.holds() && share(certificate.kept) >= coverage_min) {
    return {.verdict = Verdict::convert,
            .reason = std::format("keeps {} of {} calibration calls ({}) with {} disagreements: at "
                                  "most {} disagree, with {} "
                                  "confidence",
                                  certificate.kept, total, percent(share(certificate.kept)),
                                  certificate.disagreements, percent(certificate.bound),
                                  short_percent(1 - guarantee.delta))};
  }
  const Proportion all = disagreements_at(calibration, 0);
  const double rate = share(all.successes);
  if (const auto then = calls_until_it_holds(calibration, guarantee)) {
    // The estimate may say "already enough" where this draw was unlucky; then a quarter more is
    // asked.
    const std::int64_t more = std::max({*then - total, total / 4, std::int64_t{1}});
    return {.verdict = Verdict::needs_more_data,
            .calls_needed = more,
            .reason = std::format(
                "{} calibration calls are too few for a proof at alpha {}: about {} more are "
                "needed",
                total, short_percent(guarantee.alpha), more)};
  }
  const std::int64_t hopeful = *calls_needed(guarantee, guarantee.alpha / 2);
  if (total < hopeful && alpha_is_in_reach(calibration, guarantee)) {
    return {
        .verdict = Verdict::needs_more_data,
        .calls_needed = hopeful - total,
        .reason = std::format("{} calibration calls are too few to tell: about {} more are needed",
                              total, hopeful - total)};
  }
  // Even an oracle that defers only wrong answers keeps at most this share (arXiv 2606.29054).
  const double coverage_max = std::min(1.0, (1 - rate) / (1 - guarantee.alpha));
  if (coverage_max < coverage_min) {
    return {.verdict = Verdict::keep_llm,
            .reason = std::format(
                "the model disagrees with the LLM on {} of the calls: at alpha {} it could keep "
                "{} of them at best",
                percent(rate), short_percent(guarantee.alpha), percent(coverage_max))};
  }
  return {.verdict = Verdict::keep_llm,
          .reason = std::format(
              "the model disagrees with the LLM on {} of the calls and its confidence does not "
              "tell which: no threshold that keeps {} of them stays below alpha {}",
              percent(rate), percent(coverage_min), short_percent(guarantee.alpha))};
}

}  // namespace understudy::quality
