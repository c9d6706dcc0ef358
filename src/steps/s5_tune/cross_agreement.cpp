#include "steps/s5_tune/cross_agreement.hpp"

#include <array>
#include <string>

#include "adapters/crypto/keys.hpp"

namespace understudy::s5 {

namespace {

// With fewer, a model of half of them is another kind of model: less sure, and wrong elsewhere.
constexpr std::size_t examples_min = 5'000;

// By a hash of the text: neither the order of the log nor that of sessions decides.
std::size_t half_of(const text::LabelledText& example) {
  constexpr std::size_t hash_bytes = 16;
  const char last = crypto::blake2b_hex(example.text, hash_bytes).back();
  return static_cast<std::size_t>(last) % 2;
}

}  // namespace

Result<std::vector<quality::AgreementBin>> cross_agreement(
    const std::vector<text::LabelledText>& examples, const text::ClassifierOptions& options) {
  if (examples.size() < examples_min) return std::vector<quality::AgreementBin>();
  std::array<std::vector<text::LabelledText>, 2> halves;
  for (const text::LabelledText& example : examples) halves[half_of(example)].push_back(example);
  text::ClassifierOptions like_the_whole = options;
  if (examples.size() >= options.voters_from) like_the_whole.voters_from = 0;
  std::vector<quality::Judged> judged;
  for (const std::size_t learned : {0U, 1U}) {
    const auto model = TRY(text::Classifier::train(halves[learned], like_the_whole));
    for (const text::LabelledText& example : halves[1 - learned]) {
      const text::Classification answer = model.classify(example.text);
      judged.push_back({.confidence = answer.confidence, .agrees = answer.label == example.label});
    }
  }
  return quality::agreement_bins(judged);
}

}  // namespace understudy::s5
