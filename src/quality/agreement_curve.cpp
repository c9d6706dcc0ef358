#include "quality/agreement_curve.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace understudy::quality {

namespace {

constexpr int newton_steps_max = 50;
constexpr double step_small = 1e-9;
constexpr double ridge = 1e-6;       // keeps the curvature from vanishing
constexpr double log_odds_max = 14;  // beyond, confidences are as good as 0 and 1

constexpr std::string_view bins_key = "agreement_by_confidence";
constexpr double bin_width = 0.25;  // of log-odds: a tenth of what separates sure from unsure

double log_odds(double confidence) {
  if (confidence <= 0) return -log_odds_max;
  if (confidence >= 1) return log_odds_max;
  return std::clamp(std::log(confidence / (1 - confidence)), -log_odds_max, log_odds_max);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

std::vector<AgreementBin> agreement_bins(std::span<const Judged> calls) {
  std::map<std::int64_t, AgreementBin> bins;
  for (const Judged& call : calls) {
    const auto number = std::llround(log_odds(call.confidence) / bin_width);
    AgreementBin& bin = bins[number];
    bin.confidence = sigmoid(static_cast<double>(number) * bin_width);
    ++bin.calls;
    bin.agreed += call.agrees ? 1 : 0;
  }
  std::vector<AgreementBin> rising;
  for (const auto& [number, bin] : bins) rising.push_back(bin);
  return rising;
}

void write_bins(json::object& report, std::span<const AgreementBin> bins) {
  json::array all;
  for (const AgreementBin& bin : bins) {
    all.push_back(
        json::object{{"confidence", bin.confidence}, {"calls", bin.calls}, {"agreed", bin.agreed}});
  }
  report[bins_key] = std::move(all);
}

std::vector<AgreementBin> bins_in(std::string_view report) {
  const auto tree = json::parse(report);
  const json::array* all = tree ? json::find_array(*tree, bins_key) : nullptr;
  std::vector<AgreementBin> bins;
  if (all == nullptr) return bins;
  for (const json::value& one : *all) {
    const AgreementBin bin{.confidence = json::find_number(one, "confidence").value_or(0),
                           .calls = json::find_integer(one, "calls").value_or(0),
                           .agreed = json::find_integer(one, "agreed").value_or(0)};
    if (bin.agreed >= 0 && bin.agreed <= bin.calls) bins.push_back(bin);
  }
  return bins;
}

AgreementCurve::AgreementCurve(std::span<const AgreementBin> bins) {
  double agreeing = 0;
  double differing = 0;
  for (const AgreementBin& bin : bins) {
    agreeing += static_cast<double>(bin.agreed);
    differing += static_cast<double>(bin.calls - bin.agreed);
  }
  const double target_of_agreeing = (agreeing + 1) / (agreeing + 2);
  const double target_of_differing = 1 / (differing + 2);
  for (int step = 0; step < newton_steps_max; ++step) {
    double gradient[2] = {ridge * offset_, ridge * slope_};
    double curvature[3] = {ridge, 0, ridge};  // of offset, mixed, of slope
    for (const AgreementBin& bin : bins) {
      const double x = log_odds(bin.confidence);
      const double p = sigmoid(offset_ + slope_ * x);
      const auto agreed = static_cast<double>(bin.agreed);
      const auto differed = static_cast<double>(bin.calls - bin.agreed);
      const double excess =
          agreed * (p - target_of_agreeing) + differed * (p - target_of_differing);
      const double weight = (agreed + differed) * p * (1 - p);
      gradient[0] += excess;
      gradient[1] += excess * x;
      curvature[0] += weight;
      curvature[1] += weight * x;
      curvature[2] += weight * x * x;
    }
    const double determinant = curvature[0] * curvature[2] - curvature[1] * curvature[1];
    double offset_step = (curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant;
    double slope_step = (curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant;
    // A step that is too long for the curve's flat ends is cut.
    const double length = std::max({1.0, std::abs(offset_step), std::abs(slope_step)});
    offset_step /= length;
    slope_step /= length;
    offset_ -= offset_step;
    slope_ -= slope_step;
    if (std::abs(offset_step) + std::abs(slope_step) < step_small) break;
  }
}

double AgreementCurve::disagreement_at(double confidence) const {
  return 1 - sigmoid(offset_ + slope_ * log_odds(confidence));
}

}  // namespace understudy::quality
