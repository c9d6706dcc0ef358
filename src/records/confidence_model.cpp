#include "records/confidence_model.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace understudy {

namespace {

constexpr std::size_t weights_max = 64;
constexpr std::size_t knots_max = 4096;

std::optional<double> finite(const json::value& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.to_number<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

Result<std::vector<double>> weights_from_json(const json::value& tree) {
  const json::array* stored = json::find_array(tree, "weights");
  if (stored == nullptr || stored->empty() || stored->size() > weights_max)
    return fail(ErrorCode::corrupt, "a confidence without sound weights");
  std::vector<double> weights;
  for (const json::value& value : *stored) {
    const auto weight = finite(value);
    if (!weight) return fail(ErrorCode::corrupt, "a confidence with a weight that is no number");
    weights.push_back(*weight);
  }
  return weights;
}

Result<std::vector<Knot>> curve_from_json(const json::value& tree) {
  const json::array* stored = json::find_array(tree, "curve");
  if (stored == nullptr || stored->empty() || stored->size() > knots_max)
    return fail(ErrorCode::corrupt, "a confidence without a sound curve");
  std::vector<Knot> curve;
  for (const json::value& value : *stored) {
    const json::array* pair = value.if_array();
    const auto score = pair != nullptr && pair->size() == 2 ? finite(pair->front()) : std::nullopt;
    const auto share = score ? finite(pair->back()) : std::nullopt;
    if (!share || *share < 0 || *share > 1 ||
        (!curve.empty() && (*score < curve.back().score || *share < curve.back().value)))
      return fail(ErrorCode::corrupt, "a confidence whose curve does not rise within 0..1");
    curve.push_back({.score = *score, .value = *share});
  }
  return curve;
}

}  // namespace

json::value to_json(const ConfidenceModel& model) {
  json::array curve;
  for (const Knot& knot : model.curve) curve.push_back(json::array{knot.score, knot.value});
  return json::object{{"weights", json::array(model.weights.begin(), model.weights.end())},
                      {"curve", std::move(curve)},
                      {"calls", model.calls},
                      {"disagreements", model.disagreements}};
}

Result<ConfidenceModel> confidence_model_from_json(const json::value& tree) {
  ConfidenceModel model{.weights = TRY(weights_from_json(tree)),
                        .curve = TRY(curve_from_json(tree))};
  model.calls = json::find_integer(tree, "calls").value_or(0);
  model.disagreements = json::find_integer(tree, "disagreements").value_or(0);
  return model;
}

}  // namespace understudy
