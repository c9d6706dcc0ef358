// What libllama computes for a GGUF model, with or without an adapter: the reference that every
// export of ours is compared with before it counts. One thread; for short texts.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "adapters/lm/vocabulary.hpp"
#include "base/result.hpp"

namespace understudy::lm {

class ReferenceModel {
 public:
  // `adapter`: a GGUF LoRA, empty for none. corrupt names the file that libllama refused.
  static Result<ReferenceModel> open(const std::filesystem::path& gguf,
                                     const std::filesystem::path& adapter = {});
  ~ReferenceModel();
  ReferenceModel(ReferenceModel&&) noexcept;
  ReferenceModel& operator=(ReferenceModel&&) noexcept;

  // One row of logits a token, each as long as the vocabulary.
  [[nodiscard]] Result<std::vector<std::vector<float>>> logits(std::span<const Token> tokens) const;
  // The likeliest tokens behind `prompt` until the text ends or `count` are written.
  [[nodiscard]] Result<std::vector<Token>> continue_greedily(std::span<const Token> prompt,
                                                             std::size_t count) const;

 private:
  struct State;
  explicit ReferenceModel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::lm
