// Numbers of a call told with other numbers: all of them times one factor, which is drawn for the
// session and the task. So equal numbers stay equal wherever they stand, what is larger stays
// larger, and digits do not repeat between sessions. VariedCall says afterwards whether the answer
// can still be worked out from the prompt. One call at a time, one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.hpp"
#include "steps/s2_curate/surrogate/number_literals.hpp"

namespace understudy::s2 {

using FixedNumbers = std::set<ScaledNumber>;  // a task's own: they stand in most of its prompts

struct NumberVariation {
  std::uint32_t factor_e4 = 10'000;
  const FixedNumbers* fixed = nullptr;  // must outlive it
};

// From 1.05 to 1.20: larger numbers never fall together, and magnitudes stay.
std::uint32_t draw_factor_e4(const SecretText& key, const std::string& label);

enum class NumbersOutcome {
  none,  // there is nothing to vary
  varied,
  derived,    // the answer has a number that the prompt does not have
  crosses,    // a varied number would pass one that is fixed, as a threshold may be
  unfit,      // what came of it is an original of somebody, or no longer fits the tool
  reordered,  // after rounding the numbers' order is another one
};
std::string_view to_string(NumbersOutcome outcome);

// Where a body may be varied: its messages, or the answer's message.
using ByteSpans = std::vector<std::pair<std::size_t, std::size_t>>;
ByteSpans message_spans(std::string_view body);
bool in_any(const ByteSpans& spans, std::size_t at);

// The numbers of one body's messages, in order.
std::vector<ScaledNumber> numbers_of_messages(std::string_view body);

class VariedCall {
 public:
  enum class Side { prompt, answer };
  struct Change {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string text;
  };

  explicit VariedCall(const NumberVariation& variation) : variation_(variation) {}
  // The numbers of a text outside of `taken`, which are places of something else.
  std::vector<Change> vary(std::string_view text, const ByteSpans& taken, Side side);
  [[nodiscard]] NumbersOutcome outcome() const;

 private:
  NumberVariation variation_;
  std::map<ScaledNumber, ScaledNumber> prompt_;
  std::set<ScaledNumber> answer_;
};

}  // namespace understudy::s2
