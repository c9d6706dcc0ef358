// Runs of tokens that many texts share: the raw material of templates. Tokens are lines (with their
// newline) or words (letters and digits together, every space run and every other character alone),
// so that a text is always the concatenation of its tokens. Pure.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace understudy::s3 {

enum class TokenKind { line, word };

std::vector<std::string_view> tokens_of(std::string_view text, TokenKind kind);

// A run of tokens of `texts[reference]` that is in all texts but the tolerated share.
struct Run {
  std::string_view text;  // points into texts[reference]
};

// For each token of the shortest text, the longest run that begins there and is in all texts but
// `missing_max` of them. Runs that end inside a longer one of the same place are not repeated.
// O(tokens of the shortest x matches in the others).
std::vector<Run> common_runs(const std::vector<std::string_view>& texts, TokenKind kind,
                             std::size_t missing_max);

// Longest common beginning or end in whole word tokens, over all texts but `missing_max`.
std::string_view common_prefix(const std::vector<std::string_view>& texts, std::size_t missing_max);
std::string_view common_suffix(const std::vector<std::string_view>& texts, std::size_t missing_max);

}  // namespace understudy::s3
