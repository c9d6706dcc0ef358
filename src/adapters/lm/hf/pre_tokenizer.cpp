#include "adapters/lm/hf/pre_tokenizer.hpp"

#include "adapters/lm/hf/tokenizer_refusal.hpp"

namespace understudy::lm {

namespace {

constexpr int depth_max = 8;  // of sequences in sequences

constexpr std::string_view contractions = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|)";
constexpr std::string_view cl100k_rest = R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view upper = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])";
constexpr std::string_view lower = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";

std::string split(const std::string& expression) { return "split " + expression; }

// GPT-4's, which Llama 3 took over: numbers in groups of three.
std::string cl100k() {
  return split(std::string(contractions) + R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)" +
               std::string(cl100k_rest));
}
std::string qwen2() {
  return split(std::string(contractions) + R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)" +
               std::string(cl100k_rest));
}
std::string qwen35() {
  return split(
      std::string(contractions) +
      R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
}
// Words end where a capital begins another.
std::string by_case(const std::string& ending, const std::string& numbers) {
  const std::string start = R"([^\r\n\p{L}\p{N}]?)";
  const std::string up(upper), low(lower);
  return split(start + up + "*" + low + "+" + ending + "|" + start + up + "+" + low + "*" + ending +
               "|" + numbers + R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
}
std::string o200k() { return by_case(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)", R"(\p{N}{1,3})"); }
std::string tekken() { return by_case("", R"(\p{N})"); }

struct Known {
  std::vector<std::string> steps;
  WholeWords words;
  std::string_view name;
};

std::vector<Known> known() {
  return {{{cl100k(), "bytes"}, WholeWords::taken, "llama-bpe"},
          {{cl100k(), "bytes"}, WholeWords::merged, "dbrx"},
          {{qwen2(), "bytes"}, WholeWords::merged, "qwen2"},
          {{qwen35(), "bytes"}, WholeWords::merged, "qwen35"},
          {{o200k(), "bytes"}, WholeWords::merged, "gpt-4o"},
          {{tekken(), "bytes"}, WholeWords::taken, "tekken"},
          {{"bytes by words"}, WholeWords::merged, "gpt-2"},
          {{"digits", "bytes by words"}, WholeWords::merged, "smollm"},
          {{split(R"(\p{N})"), "bytes by words"}, WholeWords::merged, "smollm"}};
}

std::unexpected<Error> unknown(std::string_view what, const json::value& step) {
  return refuse_tokenizer("its " + std::string(what) + " is not known: " + json::to_text(step));
}

Status add_normalizer(const json::value& step, PreTokenizer& pre, int depth) {
  if (step.is_null() || depth > depth_max) return {};
  const std::string type = json::string_or(step, "type");
  if (type == "Sequence") {
    if (const json::array* steps = json::find_array(step, "normalizers")) {
      for (const json::value& one : *steps) TRY(add_normalizer(one, pre, depth + 1));
      return {};
    }
  }
  // Texts that are in this form, as nearly all are, stay as they are; libllama leaves all so.
  if (type == "NFC") return {};
  if (type == "Prepend" && json::string_or(step, "prepend") == word_mark) {
    pre.marks.prefixed = true;
    return {};
  }
  const json::value* pattern = json::find(step, "pattern");
  if (type == "Replace" && pattern != nullptr && json::string_or(*pattern, "String") == " " &&
      json::string_or(step, "content") == word_mark) {
    pre.marks.replaced = true;
    return {};
  }
  return unknown("normalizer", step);
}

Status add_split(const json::value& step, PreTokenizer& pre) {
  const json::value* pattern = json::find(step, "pattern");
  const std::string behaviour = json::string_or(step, "behavior");
  const bool inverted = json::find_bool(step, "invert").value_or(false);
  if (pattern == nullptr) return unknown("pre-tokenizer", step);
  // Gemma's: no space is left to split at.
  if (json::string_or(*pattern, "String") == " " && pre.marks.replaced) return {};
  // Every text matches the known expressions all over, so that these two are the same.
  const bool keeps_all =
      (behaviour == "Isolated" && !inverted) || (behaviour == "Removed" && inverted);
  const std::string expression = json::string_or(*pattern, "Regex");
  if (!keeps_all || expression.empty()) return unknown("pre-tokenizer", step);
  pre.steps.push_back(split(expression));
  return {};
}

Status add_metaspace(const json::value& step, PreTokenizer& pre) {
  if (json::string_or(step, "replacement") != word_mark) return unknown("pre-tokenizer", step);
  const std::string scheme = json::string_or(
      step, "prepend_scheme",
      json::find_bool(step, "add_prefix_space").value_or(true) ? "always" : "never");
  // "first" gives the mark to the text's start only, libllama behind control tokens, too: its chat
  // templates are written for that.
  pre.marks.replaced = true;
  pre.marks.prefixed = pre.marks.prefixed || scheme != "never";
  pre.marks.split = json::find_bool(step, "split").value_or(true);
  return {};
}

Status add_pre_tokenizer(const json::value& step, PreTokenizer& pre, int depth) {
  if (step.is_null() || depth > depth_max) return {};
  const std::string type = json::string_or(step, "type");
  if (type == "Sequence") {
    if (const json::array* steps = json::find_array(step, "pretokenizers")) {
      for (const json::value& one : *steps) TRY(add_pre_tokenizer(one, pre, depth + 1));
      return {};
    }
  }
  if (type == "Split") return add_split(step, pre);
  if (type == "Metaspace") return add_metaspace(step, pre);
  if (type == "Digits" && json::find_bool(step, "individual_digits").value_or(false)) {
    pre.steps.emplace_back("digits");
    return {};
  }
  if (type == "ByteLevel" && !json::find_bool(step, "add_prefix_space").value_or(true)) {
    const bool by_words = json::find_bool(step, "use_regex").value_or(true);
    pre.steps.emplace_back(by_words ? "bytes by words" : "bytes");
    return {};
  }
  return unknown("pre-tokenizer", step);
}

}  // namespace

Result<PreTokenizer> read_pre_tokenizer(const json::value& tokenizer) {
  PreTokenizer pre;
  if (const json::value* step = json::find(tokenizer, "normalizer")) {
    TRY(add_normalizer(*step, pre, 0));
  }
  if (const json::value* step = json::find(tokenizer, "pre_tokenizer")) {
    TRY(add_pre_tokenizer(*step, pre, 0));
  }
  return pre;
}

Result<std::string> libllama_name(const PreTokenizer& pre, WholeWords words) {
  if (!pre.marks.replaced && !pre.marks.prefixed) {
    for (const Known& one : known()) {
      if (one.steps == pre.steps && one.words == words) return std::string(one.name);
    }
  }
  return refuse_steps(pre, words == WholeWords::taken ? "whole words are taken" : "");
}

std::unexpected<Error> refuse_steps(const PreTokenizer& pre, std::string before) {
  for (const std::string& step : pre.steps) before += (before.empty() ? "" : "; ") + step;
  return refuse_tokenizer("its pre-tokenizer is not known: " + before);
}

}  // namespace understudy::lm
