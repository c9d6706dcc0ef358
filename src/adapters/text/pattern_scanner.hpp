// Many patterns over a text in one pass (vectorscan). It only says where something may be; whether
// it is one, the caller's validators decide. Bytes, not characters: text may be invalid UTF-8.
// Immutable once made and thread-safe: each scan borrows a scratch space of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::text {

enum class LetterCase { exact, ignored };

struct Pattern {
  std::uint32_t id = 0;
  std::string expression;  // PCRE without look-around and back-references
  LetterCase letter_case = LetterCase::exact;
};

struct Literal {
  std::uint32_t id = 0;
  std::string bytes;  // not empty
  LetterCase letter_case = LetterCase::exact;
};

// Where a pattern matched: [begin, end). begin is the leftmost possible start.
struct PatternHit {
  std::uint32_t id = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  auto operator<=>(const PatternHit&) const = default;
};

class PatternScanner {
 public:
  // invalid_input names the expression that does not compile. No patterns at all is fine.
  static Result<PatternScanner> compile(std::span<const Pattern> patterns);
  static Result<PatternScanner> compile_literals(std::span<const Literal> literals);
  ~PatternScanner();
  PatternScanner(PatternScanner&&) noexcept;
  PatternScanner& operator=(PatternScanner&&) noexcept;

  // Every match of every pattern, sorted by begin, then end; a pattern that repeats matches at
  // each possible end.
  [[nodiscard]] std::vector<PatternHit> scan(std::string_view bytes) const;

 private:
  struct State;
  explicit PatternScanner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::text
