#include "adapters/lm/tokenize.hpp"

#include <llama.h>

#include "base/check.hpp"

namespace understudy::lm {

std::vector<Token> tokenize(const llama_vocab& vocabulary, std::string_view text,
                            TokenizeOptions options) {
  constexpr std::size_t marks_max = 2;
  if (text.empty() && !options.add_marks) return {};
  std::vector<Token> tokens(text.size() + marks_max);  // at most one token a byte
  const auto count = llama_tokenize(
      &vocabulary, text.data(), static_cast<std::int32_t>(text.size()), tokens.data(),
      static_cast<std::int32_t>(tokens.size()), options.add_marks, options.read_names);
  CHECK(count >= 0, "a token stands for at least one byte");
  tokens.resize(static_cast<std::size_t>(count));
  return tokens;
}

}  // namespace understudy::lm
