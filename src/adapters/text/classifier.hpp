// A text classifier for closed answer sets: hashed word 1-2-grams + character 2-5-grams, sublinear TF-IDF,
// one-vs-rest logistic regression (liblinear). Seconds to train, microseconds to run, one file to keep.
// 0.927 accuracy on CLINC150 with these features (trial of 2026-11).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::text {

struct LabelledText {
  std::string text;
  std::string label;
};

struct ClassifierOptions {
  double cost = 8;              // liblinear's C
  std::uint32_t hash_bits = 18;
};

struct Classification {
  std::string label;
  double confidence = 0;  // 0..1
};

class Classifier {
 public:
  // invalid_input with fewer than two labels. Deterministic.
  static Result<Classifier> train(const std::vector<LabelledText>& examples, const ClassifierOptions& options);
  static Result<Classifier> load(const std::filesystem::path& path);  // corrupt when the file is damaged
  Status save(const std::filesystem::path& path) const;               // atomic
  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  [[nodiscard]] Classification classify(std::string_view text) const;  // thread-safe
  [[nodiscard]] const std::vector<std::string>& labels() const;

 private:
  struct State;
  explicit Classifier(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::text
