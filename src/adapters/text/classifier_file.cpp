#include "adapters/text/classifier_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <span>

#include "adapters/text/bytes_reader.hpp"
#include "base/limits.hpp"
#include "records/formats.hpp"

namespace understudy::text {

namespace {

constexpr std::string_view magic = "USLINEAR";
constexpr std::uint32_t version_linear_alone = 1;
constexpr std::uint32_t version_voters = 2;
constexpr std::uint32_t format_version = 3;
static_assert(format_version == format_of(FormatId::classifier).newest &&
              version_linear_alone == format_of(FormatId::classifier).oldest);

template <class T>
void append(std::string& out, std::span<const T> values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

void append_number(std::string& out, std::uint32_t value) {
  append(out, std::span<const std::uint32_t>(&value, 1));
}

std::unexpected<Error> corrupt(std::string_view why) {
  return fail(ErrorCode::corrupt, "the classifier file is damaged: " + std::string(why),
              "train it again with `understudy tune`");
}

bool all_finite(const auto& values) {
  return std::ranges::all_of(values,
                             [](auto value) { return std::isfinite(static_cast<float>(value)); });
}

bool plausible(const NgramOptions& features) {
  return features.hash_bits >= 1 && features.hash_bits <= limits::classifier_hash_bits_max &&
         features.word_ngram_max >= 1 && features.word_ngram_max <= 8 &&
         features.char_ngram_min >= 1 && features.char_ngram_min <= features.char_ngram_max &&
         features.char_ngram_max <= 16;
}

bool read_labels(BytesReader& reader, std::size_t count, std::vector<std::string>& labels) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bytes = 0;
    if (!reader.read(bytes)) return false;
    const auto label = reader.take(bytes);
    if (!label) return false;
    labels.emplace_back(*label);
  }
  return true;
}

// What stands behind the logistic regression from version 2 on.
void append_voters(std::string& out, const ClassifierWeights& model) {
  append(out, std::span(model.count_bias));
  append(out, std::span(model.count_weights));
  append_number(out, model.network.width);
  std::vector<Half> embedding(model.network.embedding.size());
  std::ranges::transform(model.network.embedding, embedding.begin(),
                         [](float value) { return to_half(double{value}); });
  append(out, std::span<const Half>(embedding));
  append(out, std::span(model.network.output));
  append(out, std::span(model.network.bias));
}

bool read_voters(BytesReader& reader, ClassifierWeights& model) {
  const std::size_t labels = model.labels.size();
  const std::size_t rows = model.indices.size();
  BagNetwork& network = model.network;
  std::vector<Half> embedding;
  if (!reader.read(model.count_bias, labels) || !reader.read(model.count_weights, rows * labels) ||
      !reader.read(network.width) || network.width == 0 || network.width > bag_width_max ||
      !reader.read(embedding, rows * network.width) ||
      !reader.read(network.output, network.width * labels) || !reader.read(network.bias, labels)) {
    return false;
  }
  network.embedding.assign(embedding.begin(), embedding.end());
  return true;
}

std::uint32_t version_of(const ClassifierWeights& model) {
  if (model.has_vectors()) return format_version;
  return model.has_voters() ? version_voters : version_linear_alone;
}

void append_vectors(std::string& out, const ClassifierWeights& model) {
  append_number(out, model.words.dimensions);
  append_number(out, static_cast<std::uint32_t>(model.words.keys.size()));
  append(out, std::span(model.words.keys));
  append(out, std::span(model.words.scales));
  append(out, std::span(model.word_weights));
  append(out, std::span(model.words.codes));
  append_number(out, model.vector_network.width);
  append(out, std::span(model.vector_network.hidden));
  append(out, std::span(model.vector_network.hidden_bias));
  append(out, std::span(model.vector_network.output));
  append(out, std::span(model.vector_network.bias));
}

bool read_vectors(BytesReader& reader, ClassifierWeights& model) {
  const std::size_t labels = model.labels.size();
  std::uint32_t words = 0;
  VectorNetwork& network = model.vector_network;
  const auto& dimensions = model.words.dimensions;
  return reader.read(model.words.dimensions) && dimensions != 0 &&
         dimensions <= word_dimensions_max && reader.read(words) &&
         reader.read(model.words.keys, words) && reader.read(model.words.scales, words) &&
         reader.read(model.word_weights, words) &&
         reader.read(model.words.codes, std::size_t{words} * dimensions) &&
         reader.read(network.width) && network.width != 0 && network.width <= vector_width_max &&
         reader.read(network.hidden, 4 * std::size_t{dimensions} * network.width) &&
         reader.read(network.hidden_bias, network.width) &&
         reader.read(network.output, network.width * labels) && reader.read(network.bias, labels);
}

// What each version has behind the logistic regression.
bool read_rest(BytesReader& reader, std::uint32_t version, ClassifierWeights& model) {
  std::uint32_t with_voters = version == version_voters ? 1 : 0;
  if (version == format_version && (!reader.read(with_voters) || with_voters > 1)) return false;
  if (with_voters == 1 && !read_voters(reader, model)) return false;
  return version != format_version || read_vectors(reader, model);
}

bool all_finite(const ClassifierWeights& model) {
  return std::isfinite(model.unseen_idf) && all_finite(model.bias) && all_finite(model.idf) &&
         all_finite(model.weights) && all_finite(model.count_bias) &&
         all_finite(model.count_weights) && all_finite(model.network.embedding) &&
         all_finite(model.network.output) && all_finite(model.network.bias) &&
         all_finite(model.words.scales) && all_finite(model.word_weights) &&
         all_finite(model.vector_network.hidden) && all_finite(model.vector_network.hidden_bias) &&
         all_finite(model.vector_network.output) && all_finite(model.vector_network.bias);
}

}  // namespace

std::string to_bytes(const ClassifierWeights& model) {
  std::string out(magic);
  for (const std::size_t number :
       {std::size_t{version_of(model)}, std::size_t{model.features.hash_bits},
        std::size_t{model.features.word_ngram_max}, std::size_t{model.features.char_ngram_min},
        std::size_t{model.features.char_ngram_max}, model.labels.size(), model.indices.size()}) {
    append_number(out, static_cast<std::uint32_t>(number));
  }
  append(out, std::span(&model.unseen_idf, 1));
  for (const std::string& label : model.labels) {
    append_number(out, static_cast<std::uint32_t>(label.size()));
    out += label;
  }
  append(out, std::span(model.bias));
  append(out, std::span(model.indices));
  append(out, std::span(model.idf));
  append(out, std::span(model.weights));
  if (model.has_vectors()) append_number(out, model.has_voters() ? 1 : 0);
  if (model.has_voters()) append_voters(out, model);
  if (model.has_vectors()) append_vectors(out, model);
  return with_checksum(std::move(out));
}

Result<ClassifierWeights> parse_classifier_file(std::string_view bytes) {
  const auto body = body_of(bytes, magic);
  if (!body) return corrupt(body.error());
  BytesReader reader(*body);
  ClassifierWeights model;
  std::uint32_t version = 0;
  std::uint32_t labels = 0;
  std::uint32_t rows = 0;
  if (!reader.read(version)) return corrupt("it is too short");
  TRY(check_format(FormatId::classifier, version));
  if (!reader.read(model.features.hash_bits) || !reader.read(model.features.word_ngram_max) ||
      !reader.read(model.features.char_ngram_min) || !reader.read(model.features.char_ngram_max) ||
      !reader.read(labels) || !reader.read(rows) || !reader.read(model.unseen_idf)) {
    return corrupt("it is too short");
  }
  if (!plausible(model.features)) return corrupt("its feature options are out of range");
  if (labels < 2 || labels > limits::classifier_labels_max) return corrupt("its label count");
  if (!read_labels(reader, labels, model.labels)) return corrupt("its labels are cut");
  if (!reader.read(model.bias, labels) || !reader.read(model.indices, rows) ||
      !reader.read(model.idf, rows) || !reader.read(model.weights, std::size_t{rows} * labels)) {
    return corrupt("its size does not fit its header");
  }
  if (!read_rest(reader, version, model) || !reader.empty())
    return corrupt("its size does not fit its header");
  if (std::ranges::adjacent_find(model.labels, std::greater_equal<>()) != model.labels.end())
    return corrupt("its labels are not sorted");
  if (std::ranges::adjacent_find(model.indices, std::greater_equal<>()) != model.indices.end() ||
      (rows != 0 && model.indices.back() >> (model.features.hash_bits + 1) != 0)) {
    return corrupt("its feature indices");
  }
  if (std::ranges::adjacent_find(model.words.keys, std::greater_equal<>()) !=
      model.words.keys.end()) {
    return corrupt("its words are not sorted");
  }
  if (!all_finite(model)) return corrupt("a weight is not finite");
  return model;
}

}  // namespace understudy::text
