// Writes bodies anew without personal data, one thread's part of it. Remembers what became of the
// messages and tools that it has seen last, because each call of a conversation repeats them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "steps/s2_curate/surrogate/pseudonymiser.hpp"

namespace understudy::s2 {

// Replaced occurrences by type and by where they stood: the keys of nested texts and the leaf's
// own, as in "arguments.email".
using ReplacedCounts = std::map<std::pair<EntityType, std::string>, std::uint64_t>;

class PseudonymWriter {
 public:
  explicit PseudonymWriter(const Pseudonymiser& pseudonymiser);  // which must outlive it
  ~PseudonymWriter();
  PseudonymWriter(PseudonymWriter&&) noexcept;

  struct Rewritten {
    std::string request;
    std::string response;
    ReplacedCounts replaced;
    bool clean = false;                             // the re-scan found no original value
    NumbersOutcome numbers = NumbersOutcome::none;  // where the treatment varies them
  };
  // Both bodies of a call, because what one of them tells to be a name ("Daisy") is one in the
  // other. invalid_input for what is no JSON.
  Result<Rewritten> rewrite(std::string_view request, std::string_view response,
                            const Treatment& treatment);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::s2
