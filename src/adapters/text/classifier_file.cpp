#include "adapters/text/classifier_file.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <span>

#include "base/limits.hpp"
#include "records/formats.hpp"

namespace understudy::text {

namespace {

static_assert(std::endian::native == std::endian::little,
              "the file is read and written as it lies");

constexpr std::string_view magic = "USLINEAR";
constexpr std::uint32_t version_linear_alone = 1;
constexpr std::uint32_t format_version = 2;
static_assert(format_version == format_of(FormatId::classifier).newest &&
              version_linear_alone == format_of(FormatId::classifier).oldest);
constexpr std::size_t checksum_bytes = sizeof(std::uint64_t);

template <class T>
void append(std::string& out, std::span<const T> values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

void append_number(std::string& out, std::uint32_t value) {
  append(out, std::span<const std::uint32_t>(&value, 1));
}

// Takes pieces off the front of the file; every read says whether there was enough left.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::string_view> take(std::size_t count) {
    if (count > rest_.size()) return std::nullopt;
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  template <class T>
  bool read(std::vector<T>& values, std::size_t count) {
    if (count > rest_.size() / sizeof(T)) return false;
    values.resize(count);
    if (count != 0) std::memcpy(values.data(), rest_.data(), count * sizeof(T));
    rest_.remove_prefix(count * sizeof(T));
    return true;
  }

  template <class T>
  bool read(T& value) {
    const auto bytes = take(sizeof(value));
    if (bytes) std::memcpy(&value, bytes->data(), sizeof(value));
    return bytes.has_value();
  }

  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

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

bool read_labels(Reader& reader, std::size_t count, std::vector<std::string>& labels) {
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

bool read_voters(Reader& reader, ClassifierWeights& model) {
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

}  // namespace

std::string with_checksum(std::string body) {
  const std::uint64_t sum = XXH3_64bits(body.data(), body.size());
  append(body, std::span(&sum, 1));
  return body;
}

std::string to_bytes(const ClassifierWeights& model) {
  std::string out(magic);
  for (const std::size_t number :
       {std::size_t{model.linear_alone() ? version_linear_alone : format_version},
        std::size_t{model.features.hash_bits}, std::size_t{model.features.word_ngram_max},
        std::size_t{model.features.char_ngram_min}, std::size_t{model.features.char_ngram_max},
        model.labels.size(), model.indices.size()}) {
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
  if (!model.linear_alone()) append_voters(out, model);
  return with_checksum(std::move(out));
}

Result<ClassifierWeights> parse_classifier_file(std::string_view bytes) {
  if (bytes.size() < magic.size() + checksum_bytes || !bytes.starts_with(magic))
    return corrupt("it does not begin as one");
  const std::string_view body = bytes.substr(0, bytes.size() - checksum_bytes);
  std::uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + body.size(), sizeof(sum));
  if (sum != XXH3_64bits(body.data(), body.size())) return corrupt("its checksum is wrong");

  Reader reader(body.substr(magic.size()));
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
  if ((version == format_version && !read_voters(reader, model)) || !reader.empty())
    return corrupt("its size does not fit its header");
  if (std::ranges::adjacent_find(model.labels, std::greater_equal<>()) != model.labels.end())
    return corrupt("its labels are not sorted");
  if (std::ranges::adjacent_find(model.indices, std::greater_equal<>()) != model.indices.end() ||
      (rows != 0 && model.indices.back() >> (model.features.hash_bits + 1) != 0)) {
    return corrupt("its feature indices");
  }
  if (!std::isfinite(model.unseen_idf) || !all_finite(model.bias) || !all_finite(model.idf) ||
      !all_finite(model.weights) || !all_finite(model.count_bias) ||
      !all_finite(model.count_weights) || !all_finite(model.network.embedding) ||
      !all_finite(model.network.output) || !all_finite(model.network.bias))
    return corrupt("a weight is not finite");
  return model;
}

}  // namespace understudy::text
