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
constexpr std::size_t small_max = 2'000;  // of these, models are trained in seconds
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

struct Measured {
  LearningPoint point;
  std::vector<quality::Judged> judged;
};

Result<Measured> measure(std::span<const text::LabelledText> learned,
                         std::span<const text::LabelledText> asked,
                         const text::ClassifierOptions& options) {
  const auto model = TRY(text::Classifier::train({learned.begin(), learned.end()}, options));
  Measured measured{.point = {.examples = learned.size(), .asked = asked.size()}, .judged = {}};
  for (const text::LabelledText& example : asked) {
    const text::Classification answer = model.classify(example.text);
    const bool agrees = answer.label == example.label;
    measured.point.agreed += agrees ? 1U : 0U;
    measured.judged.push_back({.confidence = answer.confidence, .agrees = agrees});
  }
  return measured;
}

}  // namespace

Result<LearningCurve> learning_curve(const std::vector<text::LabelledText>& examples,
                                     const text::ClassifierOptions& options) {
  const std::vector<text::LabelledText> all = shuffled(examples);
  std::size_t held_out = all.size() / held_out_one_of;
  while (held_out > 0 && held_out < all.size() && all[held_out].text == all[held_out - 1].text)
    ++held_out;
  const std::span<const text::LabelledText> asked(all.data(), held_out);
  const std::span<const text::LabelledText> rest(all.data() + held_out, all.size() - held_out);
  LearningCurve curve;
  if (asked.size() < asked_min) return curve;
  const auto add = [&](std::span<const text::LabelledText> part,
                       const text::ClassifierOptions& how) -> Status {
    Measured measured = TRY(measure(part, asked, how));
    curve.points.push_back(measured.point);
    curve.at_the_end = quality::agreement_bins(measured.judged);
    return {};
  };
  const auto small = rest.first(std::min(small_max, rest.size()));
  for (const std::size_t divisor : divisors) {
    const auto part = small.first(small.size() / divisor);
    if (part.size() >= examples_min && has_two_labels(part)) TRY(add(part, options));
  }
  if (curve.points.size() < 2) return LearningCurve{};
  if (small.size() < rest.size()) {
    text::ClassifierOptions like_the_whole = options;
    if (examples.size() >= options.voters_from) like_the_whole.voters_from = 0;
    TRY(add(rest, like_the_whole));
  }
  return curve;
}

json::array to_json(const std::vector<LearningPoint>& points) {
  json::array out;
  for (const LearningPoint& point : points) {
    out.push_back(json::object{
        {"examples", point.examples}, {"asked", point.asked}, {"agreed", point.agreed}});
  }
  return out;
}

}  // namespace understudy::s5
