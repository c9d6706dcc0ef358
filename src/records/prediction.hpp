// What a small model is asked and what it answers, apart from who serves it: the interface of
// adapters/lm gives it, quality/small_answer judges it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "records/answer.hpp"

namespace understudy {

// How sure a model was of the tokens that it wrote, its end mark included: natural logarithms of
// their probabilities, and how far each was above the best other token (below it where a grammar
// forbade that one). Quantiles, because a mean or a sum depends on the length (arXiv 2404.10136).
struct AnswerSigns {
  double log_probability_min = 0;
  double log_probability_tenth = 0;  // a tenth of the tokens is less sure
  double log_probability_mean = 0;
  double margin_min = 0;
  double margin_tenth = 0;
  std::int64_t tokens = 0;
};

// Of each token in turn; both of one length. Nothing without tokens.
std::optional<AnswerSigns> signs_of(std::vector<double> log_probabilities,
                                    std::vector<double> margins);

struct Prediction {
  Answer answer;
  // 0..1, higher is surer; only its order counts, the threshold is calibrated. Of a generated
  // answer the probability of its least sure token.
  double confidence = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::int64_t latency_us = 0;
  std::optional<AnswerSigns> signs = std::nullopt;  // of an answer that was generated, and whole
};

// How the tokens of an answer are chosen.
struct Sampling {
  double temperature = 0;  // 0: always the likeliest
  std::uint32_t seed = 0;
};

struct Question {
  std::vector<std::string> slots;  // as PromptTemplate::match() gives them
  std::string grammar = {};  // GBNF that the answer's target is held to, where it is generated
  Sampling sampling = {};
  // What `grammar` was made of where the answer is JSON: its schema, for servers that take no
  // grammar. null: none.
  json::value schema = nullptr;
};

}  // namespace understudy
