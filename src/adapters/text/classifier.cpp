#include "adapters/text/classifier.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

#include "adapters/text/linear_model.hpp"
#include "adapters/text/ngram_features.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

namespace understudy::text {

namespace {

constexpr std::uint32_t no_row = std::numeric_limits<std::uint32_t>::max();

double sigmoid(double score) { return 1 / (1 + std::exp(-score)); }

}  // namespace

struct Classifier::State {
  LinearModel model;
  std::vector<std::uint32_t> row_of;  // feature index -> row, or no_row
  std::vector<float> weights;         // model.weights, widened once

  explicit State(LinearModel loaded) : model(std::move(loaded)) {
    row_of.assign(std::size_t{2} << model.features.hash_bits, no_row);
    for (std::uint32_t row = 0; row < model.indices.size(); ++row) row_of[model.indices[row]] = row;
    weights.assign(model.weights.begin(), model.weights.end());
    std::vector<Half>().swap(model.weights);
  }

  // Decision values, one a label. N-grams without weights count in the norm: the less of a text is
  // known, the closer are its scores to the biases.
  [[nodiscard]] std::vector<float> scores(std::string_view text) const {
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
    std::vector<float> sums = model.bias;
    const float scale = norm > 0 ? 1 / std::sqrt(norm) : 0;
    for (const Feature& feature : counts) {
      const float* row = &weights[std::size_t{feature.index} * sums.size()];
      for (std::size_t label = 0; label < sums.size(); ++label)
        sums[label] += feature.value * scale * row[label];
    }
    return sums;
  }
};

Classifier::Classifier(LinearModel model) : state_(std::make_unique<State>(std::move(model))) {}
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
  auto model = parse_linear_model(TRY(read_file(path)));
  if (!model) return fail(model.error().within(path.string()));
  return Classifier(std::move(*model));
}

Status Classifier::save(const std::filesystem::path& path) const {
  LinearModel model = state_->model;
  model.weights.assign(state_->weights.size(), Half{});
  std::ranges::transform(state_->weights, model.weights.begin(),
                         [](float weight) { return to_half(double{weight}); });
  return write_file_atomically(path, to_bytes(model));
}

Classification Classifier::classify(std::string_view text) const {
  const std::vector<float> scores = state_->scores(text);
  const auto best = std::ranges::max_element(scores);
  const auto label = static_cast<std::size_t>(best - scores.begin());
  double all = 0;
  for (const float score : scores) all += sigmoid(double{score});
  const double top = sigmoid(double{*best});
  return {.label = state_->model.labels[label], .confidence = top * top / all};
}

const std::vector<std::string>& Classifier::labels() const { return state_->model.labels; }

}  // namespace understudy::text
