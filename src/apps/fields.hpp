// Fields of a job's result as the renderers want them: absent and of another kind are the empty
// value, so that a renderer is a plain expression. Private to apps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace understudy::apps {

inline std::string text(const json::value& tree, std::string_view key) {
  return json::string_or(tree, key);
}
inline std::int64_t integer(const json::value& tree, std::string_view key) {
  return json::find_integer(tree, key).value_or(0);
}
inline double number(const json::value& tree, std::string_view key) {
  return json::find_number(tree, key).value_or(0);
}
inline json::array list(const json::value& tree, std::string_view key) {
  const json::array* found = json::find_array(tree, key);
  return found != nullptr ? *found : json::array{};
}
// A time that a job tells to the microsecond, to the second; empty where there is none.
inline std::string second_of(const json::value& tree, std::string_view key) {
  std::string time = text(tree, key);  // 2026-11-24T01:47:18.123456Z
  if (time.size() < 20) return time;
  time.replace(19, std::string::npos, "Z");
  return time;
}
// The strings of a list, a line each.
inline std::string bullets(const json::value& tree, std::string_view key, std::string_view prefix) {
  std::string out;
  for (const json::value& item : list(tree, key)) {
    if (item.is_string()) out += std::string(prefix) + std::string(item.get_string()) + "\n";
  }
  return out;
}

}  // namespace understudy::apps
