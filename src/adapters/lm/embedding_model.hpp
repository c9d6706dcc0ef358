// Vectors of texts from a GGUF model in this process, by libllama: an embedding model, or any
// other, whose last layer is averaged then. Texts are cut behind embedding_tokens_max tokens, or
// behind what the model was trained on where that is less. Blocking; one owner, one thread at a
// time.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::lm {

// Of one text. Attention costs its square, and what a text is about stands early.
inline constexpr std::size_t embedding_tokens_max = 2048;

class EmbeddingModel {
 public:
  // not_found; corrupt names the file that libllama refused; unsupported: it has no vectors to
  // give, such as a model that ranks.
  static Result<EmbeddingModel> open(const std::filesystem::path& gguf);
  ~EmbeddingModel();
  EmbeddingModel(EmbeddingModel&&) noexcept;
  EmbeddingModel& operator=(EmbeddingModel&&) noexcept;

  // One vector of length 1 per text, in their order, all of one size.
  [[nodiscard]] Result<std::vector<std::vector<float>>> embed(
      std::span<const std::string_view> texts) const;

 private:
  struct State;
  explicit EmbeddingModel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::lm
