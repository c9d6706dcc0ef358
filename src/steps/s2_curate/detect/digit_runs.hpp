// Numbers as people write them: groups of digits with separators between ("+49 (0)30 901820",
// "4111-1111-1111-1111"). One run may hold more than one number; the finders try its groups. Pure,
// linear in the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::s2 {

struct DigitGroup {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

struct DigitRun {
  std::size_t begin = 0;  // at a leading "+" or "(" where there is one
  std::vector<DigitGroup> groups;
  [[nodiscard]] std::size_t end() const { return groups.back().end; }
};

// Goes through the runs of a text. The text must outlive it.
class DigitRuns {
 public:
  explicit DigitRuns(std::string_view text) : text_(text) {}
  // The next run of at least `digits_min` digits, or null at the end; valid until the next call.
  const DigitRun* next(std::size_t digits_min);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  DigitRun run_;
};

// The digits of groups [first, last].
std::string digits_of(std::string_view text, const DigitRun& run, std::size_t first,
                      std::size_t last);

}  // namespace understudy::s2
