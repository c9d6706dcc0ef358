#include "records/prompt_template.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace understudy {

Result<PromptTemplate> PromptTemplate::create(std::vector<std::string> constants) {
  if (constants.size() > limits::template_slots_max + 1) {
    return fail(ErrorCode::exhausted, "a template of " + std::to_string(constants.size() - 1) +
                                          " slots; the limit is " +
                                          std::to_string(limits::template_slots_max));
  }
  for (std::size_t i = 1; i + 1 < constants.size(); ++i) {
    if (constants[i].empty())
      return fail(ErrorCode::invalid_input, "a template with two slots and nothing between them");
  }
  PromptTemplate made;
  made.constants_ = std::move(constants);
  return made;
}

std::size_t PromptTemplate::constant_bytes() const {
  std::size_t bytes = 0;
  for (const std::string& constant : constants_) bytes += constant.size();
  return bytes;
}

// Hands each slot to `take`; false, perhaps after some slots, when the prompt is of another kind.
template <class Take>
bool PromptTemplate::walk(std::string_view prompt, Take take) const {
  if (constants_.empty()) return false;
  const std::string& first = constants_.front();
  const std::string& last = constants_.back();
  if (constants_.size() == 1) return prompt == first;
  if (prompt.size() < first.size() + last.size()) return false;
  if (!prompt.starts_with(first) || !prompt.ends_with(last)) return false;
  std::string_view rest = prompt.substr(first.size(), prompt.size() - first.size() - last.size());
  for (std::size_t i = 1; i + 1 < constants_.size(); ++i) {
    const std::size_t found = rest.find(constants_[i]);
    if (found == std::string_view::npos) return false;
    take(rest.substr(0, found));
    rest.remove_prefix(found + constants_[i].size());
  }
  take(rest);
  return true;
}

std::optional<std::vector<std::string>> PromptTemplate::match(std::string_view prompt) const {
  std::vector<std::string> slots;
  slots.reserve(slot_count());
  if (!walk(prompt, [&](std::string_view slot) { slots.emplace_back(slot); })) return std::nullopt;
  return slots;
}

bool PromptTemplate::matches(std::string_view prompt) const {
  return walk(prompt, [](std::string_view) {});
}

std::string PromptTemplate::render(const std::vector<std::string>& slots) const {
  CHECK(slots.size() == slot_count(), "a template is rendered with exactly its slots");
  std::string prompt = constants_.empty() ? std::string{} : constants_.front();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    prompt += slots[i];
    prompt += constants_[i + 1];
  }
  return prompt;
}

std::string PromptTemplate::to_text() const {
  std::string text;
  for (std::size_t i = 0; i < constants_.size(); ++i) {
    if (i > 0) text += "{" + std::to_string(i - 1) + "}";
    for (const char c : constants_[i]) {
      text += c;
      if (c == '{' || c == '}') text += c;
    }
  }
  return text;
}

json::value to_json(const PromptTemplate& prompt_template) {
  json::array constants;
  for (const std::string& constant : prompt_template.constants()) constants.emplace_back(constant);
  return json::object{{"constants", std::move(constants)}};
}

Result<PromptTemplate> prompt_template_from_json(const json::value& tree) {
  const json::array* stored = json::find_array(tree, "constants");
  if (stored == nullptr) return fail(ErrorCode::corrupt, "a stored template without constants");
  std::vector<std::string> constants;
  for (const json::value& constant : *stored) {
    if (!constant.is_string())
      return fail(ErrorCode::corrupt, "a stored template whose constant is no text");
    constants.emplace_back(constant.get_string());
  }
  return PromptTemplate::create(std::move(constants));
}

}  // namespace understudy
