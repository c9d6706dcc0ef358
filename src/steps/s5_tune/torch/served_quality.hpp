// What a trained model is worth as it will be served: answers and perplexity on held-out texts,
// asked through llama-server with the exported file, so that what is measured is what runs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "adapters/lm/served_facts.hpp"
#include "base/result.hpp"
#include "records/answer.hpp"
#include "steps/s5_tune/tuning_text.hpp"

namespace understudy::s5 {

struct ServedQuality {
  std::size_t answers = 0;  // asked for
  std::size_t agreed = 0;   // with the teacher's, by the task's form
  std::size_t tokens = 0;
  double perplexity = 0;  // of the teacher's answers
};

struct ServedSubject {
  const lm::ServedFacts& facts;
  std::filesystem::path adapter = {};  // empty: the model alone
  AnswerForm form = AnswerForm::text;
};

// A sample of `texts` of bounded size. not_found: there is no llama-server on this machine.
Result<ServedQuality> measure_served(const ServedSubject& subject,
                                     std::span<const TokenText> texts);

}  // namespace understudy::s5
