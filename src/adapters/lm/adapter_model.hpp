// A model that somebody else trained, with our adapter on it (or tuned as a whole), behind a
// llama-server of its own. The gateway and `evaluate` ask it by slots; the trainer, which measures
// what will be served, by text. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/served_facts.hpp"
#include "adapters/lm/small_model.hpp"
#include "base/result.hpp"

namespace understudy::lm {

class ServedModel {
 public:
  struct Options {
    std::size_t parallel = 4;
    std::size_t threads = 1;
    std::filesystem::path log = {};
  };
  // `adapter`: the file; empty for the model alone. Blocks until the server answers.
  static Result<std::unique_ptr<ServedModel>> start(const ServedFacts& facts,
                                                    const std::filesystem::path& adapter,
                                                    const Options& options);
  ~ServedModel();
  ServedModel(const ServedModel&) = delete;
  ServedModel& operator=(const ServedModel&) = delete;

  struct Manner {
    std::string grammar = {};  // GBNF; empty: none
    Sampling sampling = {};
  };
  // `text` as slots_text() makes it.
  [[nodiscard]] Result<Prediction> answer(std::string_view text, const Manner& manner) const;
  // Behind these tokens. What is cut off or no answer at all has confidence 0.
  [[nodiscard]] Result<Prediction> answer(std::vector<Token> prompt, const Manner& manner) const;
  // -ln P of each answer token behind the prompt, summed; one request a token.
  [[nodiscard]] Result<double> surprise(std::vector<Token> prompt,
                                        std::span<const Token> answer) const;
  [[nodiscard]] const Vocabulary& vocabulary() const;

 private:
  struct State;
  explicit ServedModel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct AdapterModelOptions {
  std::filesystem::path artifact_dir;
  std::size_t parallel = 4;
  std::size_t threads = 1;
};
Result<std::unique_ptr<SmallModel>> open_adapter(const AdapterModelOptions& options);

}  // namespace understudy::lm
