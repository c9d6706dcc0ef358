// Training alone needs liblinear (and the BLAS behind it): whoever only classifies does not link
// it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>
#include <thread>

#include "adapters/text/bag_network.hpp"
#include "adapters/text/classifier.hpp"
#include "adapters/text/classifier_file.hpp"
#include "adapters/text/liblinear.hpp"
#include "adapters/text/ngram_features.hpp"
#include "base/limits.hpp"
#include "base/pool.hpp"
#include "base/progress.hpp"

namespace understudy::text {

namespace {

constexpr std::uint32_t no_row = std::numeric_limits<std::uint32_t>::max();
// Below this many texts a feature that occurs once may still be worth a weight.
constexpr std::size_t texts_for_rare_features_to_go = 2000;
constexpr std::uint64_t network_seed = 1;
// Of these the vectors are kept though no example has them: fresh texts will.
constexpr std::uint32_t common_words = 30'000;
constexpr std::size_t model_bytes_max = limits::classifier_weight_bytes_max / 3;  // each of three

// The features that get weights, rising: those that occur often enough, the commonest first where
// the model would otherwise grow above limits::classifier_weight_bytes_max.
std::vector<std::uint32_t> choose_features(const std::vector<SparseVector>& documents,
                                           std::size_t labels, std::uint32_t dimensions) {
  std::vector<std::uint32_t> frequencies(dimensions, 0);
  for (const SparseVector& document : documents) {
    for (const Feature& feature : document) ++frequencies[feature.index];
  }
  const std::uint32_t frequency_min = documents.size() >= texts_for_rare_features_to_go ? 2 : 1;
  std::vector<std::uint32_t> chosen;
  for (std::uint32_t index = 0; index < dimensions; ++index) {
    if (frequencies[index] >= frequency_min) chosen.push_back(index);
  }
  const std::size_t rows_max = model_bytes_max / (labels * sizeof(Half));
  if (chosen.size() > rows_max) {
    std::ranges::stable_sort(chosen, std::greater<>(),
                             [&](std::uint32_t index) { return frequencies[index]; });
    chosen.resize(rows_max);
    std::ranges::sort(chosen);
  }
  return chosen;
}

// liblinear's view of the texts: rows of 1-based (feature, value), shared by all labels' problems.
class Problem {
 public:
  Problem(const std::vector<SparseVector>& documents, std::size_t rows) : features_(rows + 1) {
    for (const SparseVector& document : documents) {
      std::vector<feature_node>& nodes = nodes_.emplace_back();
      for (const Feature& feature : document) {
        nodes.push_back(
            {.index = static_cast<int>(feature.index) + 1, .value = double{feature.value}});
      }
      nodes.push_back({.index = static_cast<int>(features_), .value = 1});  // bias
      nodes.push_back({.index = -1, .value = 0});
    }
    for (std::vector<feature_node>& nodes : nodes_) pointers_.push_back(nodes.data());
  }

  // Weights of "is this label" by L2-regularised logistic regression; the last one is the bias.
  [[nodiscard]] std::vector<double> fit(std::span<const std::uint32_t> labels, std::uint32_t label,
                                        double cost) const {
    std::vector<double> targets;
    for (const std::uint32_t actual : labels) targets.push_back(actual == label ? 1 : -1);
    problem task{};
    task.l = static_cast<int>(pointers_.size());
    task.n = static_cast<int>(features_);
    task.y = targets.data();
    std::vector<feature_node*> rows = pointers_;
    task.x = rows.data();
    task.bias = 1;
    parameter how{};
    how.solver_type = L2R_LR;
    how.C = cost;
    how.eps = 0.01;  // liblinear's default for this solver
    model* fitted = ::train(&task, &how);
    const double sign = fitted->label[0] == 1 ? 1 : -1;
    std::vector<double> weights(fitted->w, fitted->w + features_);
    for (double& weight : weights) weight *= sign;
    free_and_destroy_model(&fitted);
    return weights;
  }

 private:
  std::size_t features_;
  std::vector<std::vector<feature_node>> nodes_;
  std::vector<feature_node*> pointers_;
};

// Multinomial naive Bayes over the same weighted features (Rennie et al., ICML 2003, for why TF-IDF
// and unit length help it).
void fit_counts(ClassifierWeights& model, const std::vector<SparseVector>& documents,
                std::span<const std::uint32_t> label_of) {
  constexpr double smoothing = 0.01;
  const std::size_t labels = model.labels.size();
  const std::size_t rows = model.indices.size();
  std::vector<double> mass(rows * labels, smoothing);
  std::vector<double> totals(labels, smoothing * static_cast<double>(rows));
  std::vector<double> texts(labels, 0);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::uint32_t label = label_of[i];
    texts[label] += 1;
    for (const Feature& feature : documents[i]) {
      mass[feature.index * labels + label] += double{feature.value};
      totals[label] += double{feature.value};
    }
  }
  model.count_bias.resize(labels);
  model.count_weights.resize(rows * labels);
  for (std::size_t label = 0; label < labels; ++label) {
    model.count_bias[label] =
        static_cast<float>(std::log(texts[label] / static_cast<double>(documents.size())));
  }
  std::vector<double> logs(labels);
  for (std::size_t row = 0; row < rows; ++row) {
    double mean = 0;
    for (std::size_t label = 0; label < labels; ++label) {
      logs[label] = std::log(mass[row * labels + label] / totals[label]);
      mean += logs[label] / static_cast<double>(labels);
    }
    // The mean is the same for every label, and without it half precision suffices.
    for (std::size_t label = 0; label < labels; ++label)
      model.count_weights[row * labels + label] = to_half(logs[label] - mean);
  }
}

// The vectors of the examples' words and of the commonest others; each word's weight is its inverse
// document frequency. False where the examples have no word with a vector.
bool choose_words(ClassifierWeights& model, const WordVectors& words,
                  const std::vector<LabelledText>& examples) {
  std::vector<std::uint32_t> frequencies(words.keys.size(), 0);
  for (const LabelledText& example : examples) {
    std::vector<std::size_t> places = places_of(words, example.text);
    std::ranges::sort(places);
    places.erase(std::ranges::unique(places).begin(), places.end());
    for (const std::size_t place : places) ++frequencies[place];
  }
  std::vector<std::size_t> chosen;
  bool any_known = false;
  const auto count = static_cast<float>(examples.size());
  for (std::size_t place = 0; place < frequencies.size(); ++place) {
    any_known = any_known || frequencies[place] > 0;
    if (frequencies[place] == 0 && words.ranks[place] >= common_words) continue;
    chosen.push_back(place);
    model.word_weights.push_back(
        std::log((1 + count) / (1 + static_cast<float>(frequencies[place]))) + 1);
  }
  if (!any_known) return false;
  model.words = words.only(chosen);
  model.words.ranks.clear();
  return true;
}

void fit_vectors(ClassifierWeights& model, const std::vector<LabelledText>& examples,
                 std::span<const std::uint32_t> label_of) {
  std::vector<std::vector<float>> texts;
  for (const LabelledText& example : examples)
    texts.push_back(pooled(model.words, model.word_weights, example.text));
  model.vector_network = train_vector_network(
      {.texts = texts, .label_of = label_of, .labels = model.labels.size()}, network_seed);
}

}  // namespace

Result<Classifier> Classifier::train(const std::vector<LabelledText>& examples,
                                     const ClassifierOptions& options) {
  ClassifierWeights model;
  model.features.hash_bits = options.hash_bits;
  std::set<std::string> names;
  for (const LabelledText& example : examples) names.insert(example.label);
  model.labels.assign(names.begin(), names.end());
  if (model.labels.size() < 2) {
    return fail(ErrorCode::invalid_input,
                "a classifier needs at least two different answers, here is " +
                    std::to_string(model.labels.size()),
                "collect more calls, or tune with --candidate nano");
  }
  if (model.labels.size() > limits::classifier_labels_max) {
    return fail(ErrorCode::exhausted,
                "a classifier takes at most " + std::to_string(limits::classifier_labels_max) +
                    " different answers, here are " + std::to_string(model.labels.size()),
                "tune with --candidate nano");
  }
  if (options.hash_bits == 0 || options.hash_bits > limits::classifier_hash_bits_max)
    return fail(ErrorCode::invalid_input, "hash_bits is out of range");

  std::vector<SparseVector> documents;
  std::vector<std::uint32_t> labels;
  for (const LabelledText& example : examples) {
    documents.push_back(featured_counts(example.text, model.features));
    const auto found = std::ranges::lower_bound(model.labels, example.label);
    labels.push_back(static_cast<std::uint32_t>(found - model.labels.begin()));
  }
  const std::uint32_t dimensions = 2U << options.hash_bits;
  model.indices = choose_features(documents, model.labels.size(), dimensions);
  const TfIdf tf_idf = TfIdf::fit(documents, dimensions);
  model.unseen_idf = std::log(1 + static_cast<float>(documents.size())) + 1;
  std::vector<std::uint32_t> row_of(dimensions, no_row);
  for (std::uint32_t row = 0; row < model.indices.size(); ++row) {
    row_of[model.indices[row]] = row;
    model.idf.push_back(tf_idf.idf()[model.indices[row]]);
  }
  for (SparseVector& document : documents) {
    std::erase_if(document, [&](const Feature& f) { return row_of[f.index] == no_row; });
    document = tf_idf.apply(std::move(document));
    for (Feature& feature : document) feature.index = row_of[feature.index];
  }

  const Problem problem(documents, model.indices.size());
  const bool with_voters = documents.size() >= options.voters_from;
  if (with_voters) fit_counts(model, documents, labels);
  const bool with_vectors = options.words != nullptr && options.words->dimensions != 0 &&
                            choose_words(model, *options.words, examples);
  model.bias.resize(model.labels.size());
  model.weights.resize(model.indices.size() * model.labels.size());
  silence_liblinear();
  Progress progress("training the classifier", model.labels.size(), "labels");
  const BagTrainingSet set{.texts = documents,
                           .label_of = labels,
                           .rows = model.indices.size(),
                           .labels = model.labels.size(),
                           .embedding_values_max = model_bytes_max / sizeof(Half)};
  Pool pool(std::thread::hardware_concurrency());
  pool.for_each(model.labels.size() + 2, [&](std::size_t job) {
    if (job == 1) {
      if (with_vectors) fit_vectors(model, examples, labels);
      return;
    }
    if (job == 0) {  // the longest comes first
      if (!with_voters) return;
      model.network = train_bag_network(set, network_seed);
      for (float& value : model.network.embedding)  // as the file keeps it
        value = static_cast<float>(to_half(double{value}));
      return;
    }
    const std::size_t label = job - 2;
    const std::vector<double> weights =
        problem.fit(labels, static_cast<std::uint32_t>(label), options.cost);
    model.bias[label] = static_cast<float>(weights.back());
    for (std::size_t row = 0; row < model.indices.size(); ++row)
      model.weights[row * model.labels.size() + label] = to_half(weights[row]);
    progress.advance();
  });
  return Classifier(std::move(model));
}

}  // namespace understudy::text
