// How a tokenizer.json cuts a text before its merges: read as a list of steps and compared with
// those that libllama computes, by their structure. What is not in the table is refused, because
// a model that sees other tokens than it was trained on gets worse without saying so. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::lm {

// Where the word bound "▁" comes from.
struct SpaceMarks {
  bool replaced = false;  // every space becomes one
  bool prefixed = false;  // the text gets one in front
  bool split = false;     // merges stay inside a word
};

struct PreTokenizer {
  std::vector<std::string> steps = {};  // "split REGEX", "digits", "bytes", "bytes by words"
  SpaceMarks marks = {};
};

// Of "normalizer" and "pre_tokenizer". unsupported names a step that is not known.
Result<PreTokenizer> read_pre_tokenizer(const json::value& tokenizer);

enum class WholeWords {
  merged,
  taken
};  // "ignore_merges": a word that is a token is taken as it is
// libllama's name (tokenizer.ggml.pre) of a byte-level tokenizer's steps. unsupported shows them.
Result<std::string> libllama_name(const PreTokenizer& pre, WholeWords words);

// unsupported: shows the steps, behind what is said `before` them.
std::unexpected<Error> refuse_steps(const PreTokenizer& pre, std::string before);

}  // namespace understudy::lm
