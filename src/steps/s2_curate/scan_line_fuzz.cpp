#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "base/json.hpp"
#include "steps/s2_curate/scan_line.hpp"

// Whatever is read without a tree is what the JSON parser reads.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto read = s2::read_scan_line(line);
  if (!read) return 0;
  const auto tree = json::parse(line);
  CHECK(tree.has_value(), "a line that is read is JSON");
  CHECK(json::string_or(*tree, "text", "") == read->text, "one text");
  CHECK(json::to_text(tree->get_object().at("id")) == read->id, "one id");
  return 0;
}
