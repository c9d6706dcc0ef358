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
  // Text of a rendered template: the names of control tokens in it are those tokens.
  [[nodiscard]] std::vector<Token> encode_template(std::string_view text) const;
  [[nodiscard]] std::string decode(const std::vector<Token>& tokens) const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] Token begin() const;
  [[nodiscard]] Token end() const;
  [[nodiscard]] bool begins_texts() const;  // servers put begin() before every text
  [[nodiscard]] bool ends_text(Token token) const;

  // The chat as the model's template writes it, with the head of the next answer or without.
  // unsupported: no template in the file, or none that libllama knows.
  struct Turn {
    std::string role;
    std::string content;
  };
  enum class Opening { none, answer };
  [[nodiscard]] Result<std::string> render(const std::vector<Turn>& turns, Opening opening) const;
  [[nodiscard]] std::optional<std::string> metadata(const std::string& key) const;

 private:
  struct State;
  explicit Vocabulary(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::lm
