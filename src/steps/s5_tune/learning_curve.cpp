#include "steps/s5_tune/learning_curve.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include "adapters/crypto/keys.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t examples_min = 20;  // of the smallest model
constexpr std::size_t asked_min = 20;     // fewer say nothing about a share
constexpr std::size_t held_out_one_of = 5;
constexpr std::size_t learned_max = 2'000;  // what more would do, the model itself shows
constexpr std::array<std::size_t, 4> divisors = {8, 4, 2, 1};

// By a hash of the text: neither the order of the log nor that of sessions decides.
std::vector<text::LabelledText> shuffled(const std::vector<text::LabelledText>& examples) {
  std::vector<std::pair<std::string, const text::LabelledText*>> keyed;
  for (const text::LabelledText& example : examples)
    keyed.emplace_back(crypto::blake2b_hex(example.text, 16), &example);
  std::ranges::stable_sort(keyed, {}, &std::pair<std::string, const text::LabelledText*>::first);
  std::vector<text::LabelledText> out;
  for (const auto& [hash, example] : keyed) out.push_back(*example);
  return out;
}

bool has_two_labels(std::span<const text::LabelledText> examples) {
  return std::ranges::any_of(
      examples, [&](const auto& example) { return example.label != examples.front().label; });
}

Result<LearningPoint> measure(std::span<const text::LabelledText> learned,
                              std::span<const text::LabelledText> asked,
                              const text::ClassifierOptions& options) {
  const auto model = TRY(text::Classifier::train({learned.begin(), learned.end()}, options));
  LearningPoint point{.examples = learned.size(), .asked = asked.size()};
  for (const text::LabelledText& example : asked)
    point.agreed += model.classify(example.text).label == example.label ? 1U : 0U;
  return point;
}

}  // namespace

Result<std::vector<LearningPoint>> learning_curve(const std::vector<text::LabelledText>& examples,
                                                  const text::ClassifierOptions& options) {
  const std::vector<text::LabelledText> all = shuffled(examples);
  std::size_t held_out = all.size() / held_out_one_of;
  while (held_out > 0 && held_out < all.size() && all[held_out].text == all[held_out - 1].text)
    ++held_out;
  const std::span<const text::LabelledText> asked(all.data(), held_out);
  const std::span<const text::LabelledText> learned(all.data() + held_out,
                                                    std::min(learned_max, all.size() - held_out));
  std::vector<LearningPoint> curve;
  if (asked.size() < asked_min) return curve;
  for (const std::size_t divisor : divisors) {
    const auto part = learned.first(learned.size() / divisor);
    if (part.size() >= examples_min && has_two_labels(part))
      curve.push_back(TRY(measure(part, asked, options)));
  }
  if (curve.size() < 2) curve.clear();
  return curve;
}

json::array to_json(const std::vector<LearningPoint>& curve) {
  json::array out;
  for (const LearningPoint& point : curve) {
    out.push_back(json::object{
        {"examples", point.examples}, {"asked", point.asked}, {"agreed", point.agreed}});
  }
  return out;
}

}  // namespace understudy::s5
