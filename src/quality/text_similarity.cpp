#include "quality/text_similarity.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace understudy::quality {

namespace {

constexpr std::size_t bytes_max = 20'000;
constexpr std::size_t order_max = 6;
constexpr double beta = 2;

// Code points; a byte that is no UTF-8 stands for itself.
std::vector<char32_t> characters(std::string_view text) {
  std::vector<char32_t> out;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    char32_t value = byte;
    std::size_t used = 1;
    if (length > 1 && byte >= 0xc2 && i + length <= text.size()) {
      char32_t decoded = byte & (0xffU >> (length + 1));
      bool valid = true;
      for (std::size_t k = 1; k < length; ++k) {
        const auto next = static_cast<unsigned char>(text[i + k]);
        valid = valid && (next & 0xc0U) == 0x80;
        decoded = (decoded << 6U) | (next & 0x3fU);
      }
      if (valid) {
        value = decoded;
        used = length;
      }
    }
    out.push_back(value);
    i += used;
  }
  return out;
}

bool is_space(char32_t c) {
  return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xa0 || c == 0x2028 || c == 0x2029 ||
         c == 0x3000 || (c >= 0x2000 && c <= 0x200a);
}

std::u32string without_space(std::string_view text) {
  std::u32string out;
  for (const char32_t c : characters(text.substr(0, bytes_max))) {
    if (!is_space(c)) out += c;
  }
  return out;
}

using Counts = std::unordered_map<std::u32string_view, std::int64_t>;

Counts ngrams(const std::u32string& text, std::size_t order) {
  Counts counts;
  for (std::size_t i = 0; i + order <= text.size(); ++i)
    ++counts[std::u32string_view(text).substr(i, order)];
  return counts;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) out.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text.substr(0, bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0) {
      word += static_cast<char>(std::tolower(byte));
    } else {
      end_word();
    }
  }
  end_word();
  return out;
}

double f_score(double precision, double recall, double weight) {
  const double denominator = weight * weight * precision + recall;
  return denominator == 0 ? 0 : (1 + weight * weight) * precision * recall / denominator;
}

}  // namespace

double chrf(std::string_view reference, std::string_view hypothesis) {
  const std::u32string expected = without_space(reference);
  const std::u32string said = without_space(hypothesis);
  double precision = 0;
  double recall = 0;
  std::size_t orders = 0;
  for (std::size_t order = 1; order <= order_max; ++order) {
    if (said.size() < order || expected.size() < order) continue;
    const Counts of_expected = ngrams(expected, order);
    std::int64_t common = 0;
    for (const auto& [gram, count] : ngrams(said, order)) {
      const auto found = of_expected.find(gram);
      if (found != of_expected.end()) common += std::min(count, found->second);
    }
    precision += static_cast<double>(common) / static_cast<double>(said.size() - order + 1);
    recall += static_cast<double>(common) / static_cast<double>(expected.size() - order + 1);
    ++orders;
  }
  if (orders == 0) return 0;
  const auto count = static_cast<double>(orders);
  return f_score(precision / count, recall / count, beta);
}

double rouge_l(std::string_view reference, std::string_view hypothesis) {
  const std::vector<std::string> expected = words(reference);
  const std::vector<std::string> said = words(hypothesis);
  if (expected.empty() || said.empty()) return 0;
  std::vector<std::size_t> row(said.size() + 1, 0);  // of the usual table, one after the other
  for (const std::string& word : expected) {
    std::size_t diagonal = 0;
    for (std::size_t j = 1; j <= said.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = said[j - 1] == word ? diagonal + 1 : std::max(above, row[j - 1]);
      diagonal = above;
    }
  }
  const auto common = static_cast<double>(row.back());
  return f_score(common / static_cast<double>(said.size()),
                 common / static_cast<double>(expected.size()), 1);
}

}  // namespace understudy::quality
