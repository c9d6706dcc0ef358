// Where paraphrasing does no harm: for each task and type, does the answer follow from the prompt
// when the prompt's values are others? The first pass adds what each call shows, then a type is
// switched off for a task in which too many answers hold values that are in no prompt. One thread;
// const members by any.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "steps/s2_curate/detect/text_scanner.hpp"
#include "steps/s2_curate/surrogate/number_variation.hpp"
#include "steps/s2_curate/surrogate/pseudonymiser.hpp"

namespace understudy::s2 {

using TypeBits = std::uint8_t;  // by the place in paraphrase_types

// What a call shows of the types that its task wants paraphrased.
struct ParaphraseFacts {
  TypeBits present = 0;               // has values of these
  TypeBits derived = 0;               // its answer has one that its prompt does not have
  std::vector<ScaledNumber> numbers;  // of its prompt, each once
};

// Bits of the types whose action is to paraphrase.
TypeBits paraphrased(const Actions& actions);
TypeBits bits_of(EntityType type);  // 0: not one of paraphrase_types
bool varies(TypeBits bits, EntityType type);

ParaphraseFacts paraphrase_facts(TypeBits wanted, TextScanner& scanner, std::string_view request,
                                 std::string_view response);

struct TypeTally {
  std::uint64_t calls = 0;    // with values of the type
  std::uint64_t derived = 0;  // of these: whose answers have values that the prompt has not
  [[nodiscard]] bool off() const;
};

class ParaphrasePlan {
 public:
  using Tallies = std::array<TypeTally, paraphrase_types.size()>;

  void add(std::uint32_t task, const ParaphraseFacts& facts);
  // After the last add(): which numbers are the tasks' own.
  void decide();

  // Which of `wanted` may be varied in a call of the task.
  [[nodiscard]] TypeBits allowed(std::uint32_t task, TypeBits wanted, TypeBits derived) const;
  [[nodiscard]] bool is_off(std::uint32_t task, EntityType type) const;
  [[nodiscard]] const FixedNumbers& fixed(std::uint32_t task) const;

 private:
  struct OfTask {
    Tallies tallies;
    std::uint64_t calls_with_numbers = 0;
    std::map<ScaledNumber, std::uint64_t> seen;  // in how many calls; rare ones are forgotten
    FixedNumbers fixed;
  };
  std::map<std::uint32_t, OfTask> tasks_;
};

}  // namespace understudy::s2
