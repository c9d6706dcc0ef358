// UTF-8 that may be broken, and code points, which is what places in results count. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace understudy::s2 {

// With U+FFFD in place of every part that is no UTF-8 (one for each longest beginning of a
// character, as the Unicode standard and Python's errors="replace" do); absent where all is well.
std::optional<std::string> repair_utf8(std::string_view text);

// Code points before byte `to` of valid UTF-8, counting on from a known place.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text) : text_(text) {}
  // Cheap when `byte` grows from call to call.
  std::size_t before(std::size_t byte);

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::size_t count_ = 0;
};

}  // namespace understudy::s2
