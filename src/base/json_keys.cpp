#include "base/json_keys.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"

namespace understudy::json {

namespace {

// Hears everything that Boost's parser says, and remembers keys.
struct KeyListener {
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;
  using Code = boost::system::error_code;
  using Text = boost::json::string_view;

  bool repeated = false;
  std::string key;
  std::vector<std::set<std::string>> open;  // the keys of each object around this place

  bool on_object_begin(Code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    open.pop_back();
    return true;
  }
  bool on_key_part(Text part, std::size_t, Code&) {
    key += part;
    return true;
  }
  bool on_key(Text part, std::size_t, Code&) {
    key += part;
    repeated = !open.back().insert(std::exchange(key, {})).second || repeated;
    return true;
  }
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

}  // namespace

bool repeats_a_key(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = static_cast<std::uint32_t>(limits::json_depth_max);
  boost::json::basic_parser<KeyListener> parser(options);
  boost::system::error_code error;
  parser.write_some(false, text.data(), text.size(), error);
  return !error && parser.handler().repeated;
}

}  // namespace understudy::json
