#include "steps/s2_curate/detect/digit_runs.hpp"

#include "steps/s2_curate/detect/characters.hpp"

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

const DigitRun* DigitRuns::next(std::size_t digits_min) {
  while (true) {
    const char* const bytes = text_.data();
    while (at_ < text_.size() && !is_digit(bytes[at_])) ++at_;
    if (at_ >= text_.size()) return nullptr;
    run_.begin = with_opening(text_, at_);
    run_.groups.clear();
    std::size_t digits = 0;
    for (std::size_t begin = at_; begin != std::string_view::npos; begin = next_group(text_, at_)) {
      at_ = begin;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      run_.groups.push_back({.begin = begin, .end = at_});
      digits += at_ - begin;
    }
    if (digits >= digits_min) return &run_;
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
