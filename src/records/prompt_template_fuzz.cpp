// Input: constants separated by 0x1f, then 0x1e, then a prompt. Whatever matches must render back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "records/prompt_template.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = input.find('\x1e');
  if (split == std::string_view::npos) return 0;
  std::vector<std::string> constants(1);
  for (const char c : input.substr(0, split)) {
    if (c == '\x1f') {
      constants.emplace_back();
    } else {
      constants.back() += c;
    }
  }
  const auto shape = understudy::PromptTemplate::create(std::move(constants));
  if (!shape) return 0;
  const std::string_view prompt = input.substr(split + 1);
  if (const auto slots = shape->match(prompt)) {
    CHECK(shape->render(*slots) == prompt, "match and render are inverse");
  }
  const std::vector<std::string> filled(shape->slot_count(), std::string(prompt));
  CHECK(shape->match(shape->render(filled)).has_value(), "what was rendered matches");
  return 0;
}
