// served.json of an artifact: which model file answers (a base that lies elsewhere, or one of the
// artifact's own), with which adapter, how it is asked and how much it reads and writes. Written by
// understudy-train, read by whoever serves the artifact.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "adapters/lm/task_prompt.hpp"
#include "base/result.hpp"

namespace understudy::lm {

inline constexpr const char* served_facts_name = "served.json";

struct ServedFacts {
  std::filesystem::path model;  // absolute, or a file name in the artifact's directory
  std::string mark;             // mark_of_file() of a model that lies elsewhere; else empty
  std::string adapter;          // a file name in the artifact's directory; empty: none
  PromptForm form = PromptForm::raw;
  std::size_t context = 512;  // tokens of prompt and answer
  std::size_t answer_tokens_max = 0;
};

std::string to_text(const ServedFacts& facts);
// corrupt: absent or strange values, or a file name that leads out of the directory.
Result<ServedFacts> parse_served_facts(std::string_view text);

Status write_served_facts(const std::filesystem::path& artifact_dir, const ServedFacts& facts);
// With `model` made absolute. not_found: the model lies no longer where it was; conflict: there is
// another one in its place, for which the adapter was not made.
Result<ServedFacts> read_served_facts(const std::filesystem::path& artifact_dir);

// A hash of all bytes, as hex. Tells files apart, and is no defence against forgery.
Result<std::string> mark_of_file(const std::filesystem::path& path);

}  // namespace understudy::lm
