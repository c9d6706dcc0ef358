// The form of an id, as a small regular expression: literals, "[A-Z0-9]", "\.", "(?:a|b)", and the
// counts "?", "{2}", "{1,4}". Tried at one place of a text, in any letter case; for a hundred forms
// that are tried in a few windows this starts a thousand times faster than a compiled scanner.
// Immutable once made and thread-safe.
#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::s2 {

class FormPattern {
 public:
  // invalid_input where the expression is none of the above.
  static Result<FormPattern> parse(std::string_view expression);

  // Offers the ends of matches that begin at `begin`, longest choices first, until one is accepted.
  bool match(std::string_view text, std::size_t begin,
             const std::function<bool(std::size_t end)>& accept) const;

  // Can a match begin with this byte?
  [[nodiscard]] bool may_begin_with(char c) const {
    return first_.test(static_cast<unsigned char>(c));
  }

 private:
  friend class FormParser;
  struct Step {
    enum class Kind : std::uint8_t { set, split, jump, end } kind = Kind::end;
    std::uint16_t set = 0;     // index into sets_
    std::uint16_t first = 0;   // of a split, the one to try first; of a jump
    std::uint16_t second = 0;  // of a split
  };
  using Set = std::bitset<256>;

  bool run(std::string_view text, std::size_t step, std::size_t at,
           const std::function<bool(std::size_t)>& accept) const;
  void collect_first(std::size_t step);

  std::vector<Step> steps_;
  std::vector<Set> sets_;
  Set first_;
};

}  // namespace understudy::s2
