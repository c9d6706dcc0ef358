// The vocabulary of a GGUF file, by libllama: text to token ids and back, as llama-server does it.
// Immutable; thread-safe. Also gives the facts that we keep in the file beside the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::lm {

using Token = std::int32_t;

class Vocabulary {
 public:
  // corrupt/not_found name the file.
  static Result<Vocabulary> load(const std::filesystem::path& gguf);
  ~Vocabulary();
  Vocabulary(Vocabulary&&) noexcept;
  Vocabulary& operator=(Vocabulary&&) noexcept;

  [[nodiscard]] std::vector<Token> encode(std::string_view text) const;
  [[nodiscard]] std::string decode(const std::vector<Token>& tokens) const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] Token begin() const;
  [[nodiscard]] Token end() const;
  [[nodiscard]] std::optional<std::string> metadata(const std::string& key) const;

 private:
  struct State;
  explicit Vocabulary(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::lm
