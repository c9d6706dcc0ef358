#include "steps/s2_curate/digit_runs.hpp"

#include <algorithm>

#include "steps/s2_curate/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t separators_max = 3;  // "(030) - 12"

// Bytes of one separator at `at`, 0 for none: ASCII, no-break space, Unicode spaces and dashes.
std::size_t separator_bytes(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  const char c = text[at];
  if (c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')') return 1;
  if (text.substr(at, 2) == "\xc2\xa0") return 2;
  const std::string_view three = text.substr(at, 3);
  const bool general_punctuation = three.size() == 3 && three.starts_with("\xe2\x80");
  return general_punctuation && three[2] <= '\x95' ? 3 : 0;
}

// Where the next group begins behind `at`, or npos when the run ends here.
std::size_t next_group(std::string_view text, std::size_t at) {
  for (std::size_t i = 0; i < separators_max; ++i) {
    const std::size_t bytes = separator_bytes(text, at);
    if (bytes == 0) return std::string_view::npos;
    at += bytes;
    if (at < text.size() && is_digit(text[at])) return at;
  }
  return std::string_view::npos;
}

std::size_t with_opening(std::string_view text, std::size_t begin) {
  if (begin > 0 && text[begin - 1] == '(') --begin;
  if (begin > 0 && text[begin - 1] == '+') --begin;
  return begin;
}

}  // namespace

std::vector<DigitRun> find_digit_runs(std::string_view text, std::size_t digits_min) {
  std::vector<DigitRun> runs;
  std::size_t at = 0;
  while (true) {
    const auto* first = std::find_if(text.data() + at, text.data() + text.size(), is_digit);
    at = static_cast<std::size_t>(first - text.data());
    if (at == text.size()) return runs;
    DigitRun run{.begin = with_opening(text, at), .groups = {}};
    std::size_t digits = 0;
    for (std::size_t begin = at; begin != std::string_view::npos; begin = next_group(text, at)) {
      at = begin;
      while (at < text.size() && is_digit(text[at])) ++at;
      run.groups.push_back({.begin = begin, .end = at});
      digits += at - begin;
    }
    if (digits >= digits_min) runs.push_back(std::move(run));
  }
}

std::string digits_of(std::string_view text, const DigitRun& run, std::size_t first,
                      std::size_t last) {
  std::string digits;
  for (std::size_t i = first; i <= last; ++i)
    digits += text.substr(run.groups[i].begin, run.groups[i].size());
  return digits;
}

}  // namespace understudy::s2
