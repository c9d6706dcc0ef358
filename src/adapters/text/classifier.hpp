// A text classifier for closed answer sets: hashed word 1-2-grams + character 2-5-grams, sublinear
// TF-IDF, and three models over them that vote: one-vs-rest logistic regression (liblinear),
// multinomial naive Bayes and a small network (BagNetwork); and, where there are word vectors, a
// network over those. They err on different texts, so where they agree a label is surer than any
// says alone. From few examples only the first is learned.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::text {

struct WordVectors;

struct LabelledText {
  std::string text;
  std::string label;
};

struct ClassifierOptions {
  double cost = 20;  // liblinear's C; 8 to 30 are within 0.4 % accuracy on CLINC150
  std::uint32_t hash_bits = 18;
  // Examples from which on all three models vote. With fewer, logistic regression alone keeps more
  // calls at the same agreement (of 700 and 900 simulated calls 87 and 95 %, with votes 72 and 95).
  std::size_t voters_from = 5'000;
  // What words mean elsewhere; null: nothing is known but the examples. Not kept.
  const WordVectors* words = nullptr;
};

struct Classification {
  std::string label;
  // 0..1: the models' mean probability of the label, times a root of the logistic regression's
  // "is this label at all". N-grams that training never saw pull every score towards "no label", so
  // that texts of another kind score low.
  double confidence = 0;
};

struct ClassifierWeights;

class Classifier {
 public:
  // invalid_input with fewer than two labels. Deterministic.
  static Result<Classifier> train(const std::vector<LabelledText>& examples,
                                  const ClassifierOptions& options);
  static Result<Classifier> load(
      const std::filesystem::path& path);                // corrupt when the file is damaged
  Status save(const std::filesystem::path& path) const;  // atomic
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  [[nodiscard]] Classification classify(std::string_view text) const;  // thread-safe
  [[nodiscard]] const std::vector<std::string>& labels() const;

 private:
  struct State;
  explicit Classifier(ClassifierWeights model);
  [[nodiscard]] Classification classify_linear(const std::vector<float>& scores) const;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::text
