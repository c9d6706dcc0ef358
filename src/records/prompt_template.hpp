// A task's prompt as constants and slots: "Classify this: " [slot 0] "\nAnswer:" . The constants
// are what every call of the task shares; the slots are what changes and what a small model reads.
//
// match() and render() are exact inverses: render(match(prompt)) == prompt for every prompt that
// matches. Pure and thread-safe; used by S3 to build tasks, by S5 to build training text, by the
// gateway to route.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy {

class PromptTemplate {
 public:
  PromptTemplate() = default;
  // constants.size() == slots + 1; a prompt is constants[0] slot[0] constants[1] ... slot[n-1]
  // constants[n]. Inner constants are not empty; the first and the last may be.
  static Result<PromptTemplate> create(std::vector<std::string> constants);

  [[nodiscard]] const std::vector<std::string>& constants() const { return constants_; }
  [[nodiscard]] std::size_t slot_count() const {
    return constants_.empty() ? 0 : constants_.size() - 1;
  }
  [[nodiscard]] std::size_t constant_bytes() const;  // more = more specific

  // The slots of a prompt, or nothing when the prompt is of another kind. Each inner constant is
  // taken at its first occurrence, the last one at the very end, so that the result is unique.
  [[nodiscard]] std::optional<std::vector<std::string>> match(std::string_view prompt) const;
  [[nodiscard]] bool matches(std::string_view prompt) const;  // as match(), without the slots
  [[nodiscard]] std::string render(const std::vector<std::string>& slots) const;

  // "Classify this: {0}\nAnswer:" for people; braces of the prompt itself are doubled.
  [[nodiscard]] std::string to_text() const;

  bool operator==(const PromptTemplate&) const = default;

 private:
  template <class Take>
  bool walk(std::string_view prompt, Take take) const;

  std::vector<std::string> constants_;
};

json::value to_json(const PromptTemplate& prompt_template);
Result<PromptTemplate> prompt_template_from_json(const json::value& tree);

}  // namespace understudy
