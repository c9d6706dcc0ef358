#include "adapters/lm/tokenize.hpp"

#include <llama.h>

#include <limits>

#include "base/check.hpp"

namespace understudy::lm {

Status check_tokenizer(const llama_vocab& vocabulary, const std::filesystem::path& gguf) {
  if (llama_vocab_type(&vocabulary) != LLAMA_VOCAB_TYPE_NONE) return {};
  return fail(ErrorCode::unsupported, gguf.string() + " holds no tokenizer",
              "Convert the model again, with its tokenizer.");
}

std::vector<Token> tokenize(const llama_vocab& vocabulary, std::string_view text,
                            TokenizeOptions options) {
  constexpr std::size_t marks_max = 2;
  if (text.empty() && !options.add_marks) return {};
  std::vector<Token> tokens(text.size() + marks_max);
  const auto tokenize_into = [&] {
    return llama_tokenize(&vocabulary, text.data(), static_cast<std::int32_t>(text.size()),
                          tokens.data(), static_cast<std::int32_t>(tokens.size()),
                          options.add_marks, options.read_names);
  };
  auto count = tokenize_into();
  // Seldom more than one a byte: a space without a piece of its own is three bytes of "▁", and
  // vocabularies that write "㍿" out make four characters of it.
  if (count < 0 && count != std::numeric_limits<std::int32_t>::min()) {
    tokens.resize(static_cast<std::size_t>(-count));
    count = tokenize_into();
  }
  CHECK(count >= 0, "a text has fewer than 2^31 tokens");
  tokens.resize(static_cast<std::size_t>(count));
  return tokens;
}

}  // namespace understudy::lm
