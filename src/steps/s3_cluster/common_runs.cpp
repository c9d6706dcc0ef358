#include "steps/s3_cluster/common_runs.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace understudy::s3 {

namespace {

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || byte >= 0x80 || c == '_';
}
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t token_end(std::string_view text, std::size_t begin, TokenKind kind) {
  if (kind == TokenKind::line) {
    const std::size_t newline = text.find('\n', begin);
    return newline == std::string_view::npos ? text.size() : newline + 1;
  }
  std::size_t end = begin + 1;
  if (is_word(text[begin])) {
    while (end < text.size() && is_word(text[end])) ++end;
  } else if (is_blank(text[begin])) {
    while (end < text.size() && is_blank(text[end])) ++end;
  }
  return end;
}

using Numbers = std::vector<std::uint32_t>;

class Interner {
 public:
  Numbers numbers(std::string_view text, TokenKind kind) {
    Numbers numbered;
    for (const std::string_view token : tokens_of(text, kind)) {
      const auto next = static_cast<std::uint32_t>(known_.size());
      numbered.push_back(known_.try_emplace(token, next).first->second);
    }
    return numbered;
  }
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  std::unordered_map<std::string_view, std::uint32_t> known_;
};

// A million equal lines in two texts are a million squared pairs. Beyond the budget the places of
// tokens that are everywhere are forgotten: runs end at them, and are found again on both sides.
void forget_common(std::vector<Numbers>& places, const Numbers& reference) {
  constexpr std::size_t pairs_max = 4'000'000;
  constexpr std::size_t places_kept = 32;
  std::size_t pairs = 0;
  for (const std::uint32_t token : reference) pairs += places[token].size();
  if (pairs <= pairs_max) return;
  for (Numbers& of_token : places) {
    if (of_token.size() > places_kept) of_token.resize(places_kept);
  }
}

// For each place of `reference`, the longest run from there that is anywhere in `other`.
Numbers longest_matches(const Numbers& reference, const Numbers& other, std::size_t tokens) {
  std::vector<Numbers> places(tokens);
  for (std::uint32_t p = 0; p < other.size(); ++p) places[other[p]].push_back(p);
  forget_common(places, reference);
  Numbers longest(reference.size());
  Numbers before(other.size() + 1);  // run lengths for the reference's next token
  Numbers now(other.size() + 1);
  for (std::size_t s = reference.size(); s-- > 0;) {
    for (const std::uint32_t p : places[reference[s]]) {
      now[p] = before[p + 1] + 1;
      longest[s] = std::max(longest[s], now[p]);
    }
    if (s + 1 < reference.size()) {
      for (const std::uint32_t p : places[reference[s + 1]]) before[p] = 0;
    }
    std::swap(before, now);
  }
  return longest;
}

std::size_t shared_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// The text whose agreement with the first is the (missing_max + 1)-th smallest decides. A first
// text that is itself an outlier only makes the result shorter.
std::size_t tolerated_minimum(std::vector<std::size_t> lengths, std::size_t missing_max) {
  const std::size_t place = std::min(missing_max, lengths.size() - 1);
  std::ranges::nth_element(lengths, lengths.begin() + static_cast<std::ptrdiff_t>(place));
  return lengths[place];
}

}  // namespace

std::vector<std::string_view> tokens_of(std::string_view text, TokenKind kind) {
  std::vector<std::string_view> tokens;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = token_end(text, begin, kind);
    tokens.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

std::vector<Run> common_runs(const std::vector<std::string_view>& texts, TokenKind kind,
                             std::size_t missing_max) {
  if (texts.size() < 2) return {};
  // The shortest text is the reference; below the tolerance, so that an outlier that is nearly
  // empty does not hide everything.
  std::vector<std::size_t> order(texts.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return texts[i].size(); });
  const std::size_t reference = order[std::min(missing_max, order.size() - 1)];

  Interner interner;
  std::vector<Numbers> numbered;
  for (const std::string_view text : texts) numbered.push_back(interner.numbers(text, kind));
  const Numbers& tokens = numbered[reference];
  if (tokens.empty()) return {};
  std::vector<std::vector<std::size_t>> lengths(tokens.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i == reference) continue;
    const Numbers longest = longest_matches(tokens, numbered[i], interner.size());
    for (std::size_t s = 0; s < tokens.size(); ++s) lengths[s].push_back(longest[s]);
  }
  const std::vector<std::string_view> words = tokens_of(texts[reference], kind);
  std::vector<Run> runs;
  std::size_t covered = 0;  // token behind the last run
  for (std::size_t s = 0; s < tokens.size(); ++s) {
    const std::size_t length = tolerated_minimum(std::move(lengths[s]), missing_max);
    if (length == 0 || s + length <= covered) continue;
    covered = s + length;
    const char* begin = words[s].data();
    const char* end = words[s + length - 1].data() + words[s + length - 1].size();
    runs.push_back({.text = {begin, static_cast<std::size_t>(end - begin)}});
  }
  return runs;
}

std::string_view common_prefix(const std::vector<std::string_view>& texts,
                               std::size_t missing_max) {
  if (texts.empty()) return {};
  std::vector<std::size_t> lengths;
  for (const std::string_view text : texts) lengths.push_back(shared_prefix(texts.front(), text));
  std::string_view prefix = texts.front().substr(0, tolerated_minimum(lengths, missing_max));
  // Half a word is none: "Ann" of "Anna" and "Annika".
  const auto cuts_word = [&](std::string_view text) {
    return text.size() > prefix.size() && text.starts_with(prefix) && !prefix.empty() &&
           is_word(prefix.back()) && is_word(text[prefix.size()]);
  };
  if (std::ranges::any_of(texts, cuts_word)) {
    while (!prefix.empty() && is_word(prefix.back())) prefix.remove_suffix(1);
  }
  return prefix;
}

std::string_view common_suffix(const std::vector<std::string_view>& texts,
                               std::size_t missing_max) {
  if (texts.empty()) return {};
  const std::string_view first = texts.front();
  std::vector<std::size_t> lengths;
  for (const std::string_view text : texts) {
    const auto pair = std::mismatch(first.rbegin(), first.rend(), text.rbegin(), text.rend());
    lengths.push_back(static_cast<std::size_t>(pair.first - first.rbegin()));
  }
  std::string_view suffix = first.substr(first.size() - tolerated_minimum(lengths, missing_max));
  const auto cuts_word = [&](std::string_view text) {
    return text.size() > suffix.size() && text.ends_with(suffix) && !suffix.empty() &&
           is_word(suffix.front()) && is_word(text[text.size() - suffix.size() - 1]);
  };
  if (std::ranges::any_of(texts, cuts_word)) {
    while (!suffix.empty() && is_word(suffix.front())) suffix.remove_prefix(1);
  }
  return suffix;
}

}  // namespace understudy::s3
