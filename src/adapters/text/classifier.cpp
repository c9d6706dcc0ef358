#include "adapters/text/classifier.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

#include "adapters/text/classifier_file.hpp"
#include "adapters/text/ngram_features.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

namespace understudy::text {

namespace {

constexpr std::uint32_t no_row = std::numeric_limits<std::uint32_t>::max();

// Chosen on CLINC150's `val` and `oos_val`, with models trained on a part of `train`; shares that
// differ by a third keep within 0.5 % of each other's calls.
constexpr double vector_share = 0.4;  // where there are word vectors; the rest is shared as here:
constexpr double network_share = 0.5;
constexpr double count_share = 0.15;
constexpr double count_temperature = 0.5;  // naive Bayes is far too sure of itself
constexpr double presence_power = 0.25;

double sigmoid(double score) { return 1 / (1 + std::exp(-score)); }

std::vector<double> softmax(const std::vector<float>& scores, double temperature) {
  const double top = *std::ranges::max_element(scores);
  std::vector<double> shares;
  double all = 0;
  for (const float score : scores) {
    shares.push_back(std::exp(temperature * (double{score} - top)));
    all += shares.back();
  }
  for (double& share : shares) share /= all;
  return shares;
}

}  // namespace

struct Classifier::State {
  ClassifierWeights model;
  std::vector<std::uint32_t> row_of;  // feature index -> row, or no_row
  std::vector<float> weights;         // model.weights, widened once
  std::vector<float> count_weights;

  struct Scores {  // one a label
    std::vector<float> linear;
    std::vector<float> counts;  // this and the network's: empty where the file has none
    std::vector<float> network;
    std::vector<float> vectors;
  };

  explicit State(ClassifierWeights loaded) : model(std::move(loaded)) {
    row_of.assign(std::size_t{2} << model.features.hash_bits, no_row);
    for (std::uint32_t row = 0; row < model.indices.size(); ++row) row_of[model.indices[row]] = row;
    weights.assign(model.weights.begin(), model.weights.end());
    count_weights.assign(model.count_weights.begin(), model.count_weights.end());
    std::vector<Half>().swap(model.weights);
    std::vector<Half>().swap(model.count_weights);
  }

  // N-grams without weights count in the norm: the less of a text is
  // known, the closer are its scores to the biases.
  [[nodiscard]] Scores scores(std::string_view text) const {
    SparseVector counts = featured_counts(text, model.features);
    float norm = 0;
    std::size_t known = 0;
    for (const Feature& feature : counts) {
      const std::uint32_t row = row_of[feature.index];
      const float value = feature.value * (row == no_row ? model.unseen_idf : model.idf[row]);
      norm += value * value;
      if (row != no_row) counts[known++] = {.index = row, .value = value};
    }
    counts.resize(known);
    const float scale = norm > 0 ? 1 / std::sqrt(norm) : 0;
    for (Feature& feature : counts) feature.value *= scale;
    Scores scores{.linear = model.bias, .counts = model.count_bias, .network = {}, .vectors = {}};
    add_products(counts, weights, scores.linear);
    if (model.has_vectors())
      scores.vectors =
          logits_of(model.vector_network, pooled(model.words, model.word_weights, text));
    if (!model.has_voters()) return scores;
    add_products(counts, count_weights, scores.counts);
    scores.network = logits_of(model.network, counts);
    return scores;
  }

  static void add_products(const SparseVector& features, const std::vector<float>& weights,
                           std::vector<float>& sums) {
    for (const Feature& feature : features) {
      const float* row = &weights[std::size_t{feature.index} * sums.size()];
      for (std::size_t label = 0; label < sums.size(); ++label)
        sums[label] += feature.value * row[label];
    }
  }
};

Classifier::Classifier(ClassifierWeights model)
    : state_(std::make_unique<State>(std::move(model))) {}
Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

Result<Classifier> Classifier::load(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto bytes_max = limits::classifier_file_bytes_max;
  if (const auto size = std::filesystem::file_size(path, ignored); !ignored && size > bytes_max) {
    return fail(ErrorCode::corrupt, path.string() + " is too large for a classifier",
                "train it again with `understudy tune`");
  }
  auto model = parse_classifier_file(TRY(read_file(path)));
  if (!model) return fail(model.error().within(path.string()));
  return Classifier(std::move(*model));
}

Status Classifier::save(const std::filesystem::path& path) const {
  ClassifierWeights model = state_->model;
  model.weights.assign(state_->weights.size(), Half{});
  model.count_weights.assign(state_->count_weights.size(), Half{});
  const auto narrow = [](float weight) { return to_half(double{weight}); };
  std::ranges::transform(state_->weights, model.weights.begin(), narrow);
  std::ranges::transform(state_->count_weights, model.count_weights.begin(), narrow);
  return write_file_atomically(path, to_bytes(model));
}

Classification Classifier::classify(std::string_view text) const {
  const State::Scores scores = state_->scores(text);
  if (!state_->model.has_voters() && !state_->model.has_vectors())
    return classify_linear(scores.linear);
  std::vector<double> shares = softmax(scores.linear, 1);
  const auto mix = [&](double share, const std::vector<double>& others) {
    for (std::size_t label = 0; label < shares.size(); ++label)
      shares[label] += share * (others[label] - shares[label]);
  };
  if (state_->model.has_voters()) {
    mix(count_share / (1 - network_share), softmax(scores.counts, count_temperature));
    mix(network_share, softmax(scores.network, 1));
  }
  if (state_->model.has_vectors()) mix(vector_share, softmax(scores.vectors, 1));
  const auto label = static_cast<std::size_t>(std::ranges::max_element(shares) - shares.begin());
  const double presence = std::pow(sigmoid(double{scores.linear[label]}), presence_power);
  return {.label = state_->model.labels[label],
          .confidence = std::min(1.0, shares[label] * presence)};
}

// As the version that wrote such files did, because their thresholds were certified for that.
Classification Classifier::classify_linear(const std::vector<float>& scores) const {
  const auto best = std::ranges::max_element(scores);
  double all = 0;
  for (const float score : scores) all += sigmoid(double{score});
  const double top = sigmoid(double{*best});
  return {.label = state_->model.labels[static_cast<std::size_t>(best - scores.begin())],
          .confidence = top * top / all};
}

const std::vector<std::string>& Classifier::labels() const { return state_->model.labels; }

}  // namespace understudy::text
