#include "adapters/lm/classifier_model.hpp"

#include <utility>

#include "adapters/text/classifier.hpp"
#include "base/clock.hpp"

namespace understudy::lm {

namespace {

// No tokenizer here; 4 bytes a token is the usual estimate for English.
constexpr std::size_t bytes_per_token = 4;

std::int64_t estimated_tokens(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + bytes_per_token - 1) / bytes_per_token);
}

class ClassifierModel final : public SmallModel {
 public:
  explicit ClassifierModel(text::Classifier classifier) : classifier_(std::move(classifier)) {}

  Result<Prediction> predict(const Question& question) const override {
    const Stopwatch watch;
    const std::string input = slots_text(question.slots);
    text::Classification best = classifier_.classify(input);
    Prediction prediction;
    prediction.answer.text = std::move(best.label);
    prediction.confidence = best.confidence;
    prediction.prompt_tokens = estimated_tokens(input.size());
    prediction.completion_tokens = estimated_tokens(prediction.answer.text.size());
    prediction.latency_us = watch.elapsed_us();
    return prediction;
  }

 private:
  text::Classifier classifier_;
};

}  // namespace

Result<std::unique_ptr<SmallModel>> open_classifier(const std::filesystem::path& artifact_dir) {
  auto classifier = TRY(text::Classifier::load(artifact_dir / classifier_file_name));
  return std::make_unique<ClassifierModel>(std::move(classifier));
}

}  // namespace understudy::lm
