#include "base/json.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/limits.hpp"

namespace understudy::json {

namespace {

void write_canonical(const value& tree, std::string& out) {
  switch (tree.kind()) {
    case kind::object: {
      std::vector<std::string_view> keys;
      for (const auto& member : tree.get_object()) keys.push_back(member.key());
      std::ranges::sort(keys);
      out += '{';
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (i > 0) out += ',';
        out += boost::json::serialize(keys[i]);
        out += ':';
        write_canonical(tree.get_object().at(keys[i]), out);
      }
      out += '}';
      return;
    }
    case kind::array: {
      out += '[';
      bool first = true;
      for (const auto& item : tree.get_array()) {
        if (!first) out += ',';
        first = false;
        write_canonical(item, out);
      }
      out += ']';
      return;
    }
    case kind::double_: {
      const double number = tree.get_double();
      if (std::nearbyint(number) == number && std::abs(number) < 9e15) {
        out += std::to_string(static_cast<std::int64_t>(number));
        return;
      }
      out += boost::json::serialize(tree);
      return;
    }
    default: out += boost::json::serialize(tree);
  }
}

}  // namespace

Result<value> parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = static_cast<std::uint32_t>(limits::json_depth_max);
  options.numbers =
      boost::json::number_precision::precise;  // a stored threshold reads back exactly
  boost::system::error_code error;
  boost::json::stream_parser parser({}, options);
  const std::size_t consumed = parser.write(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error) {
    return fail(ErrorCode::invalid_input,
                "not valid JSON at byte " + std::to_string(consumed) + ": " + error.message());
  }
  return parser.release();
}

std::string to_text(const value& tree) { return boost::json::serialize(tree); }

std::string to_canonical(const value& tree) {
  std::string out;
  write_canonical(tree, out);
  return out;
}

const value* find(const value& tree, std::string_view key) {
  if (!tree.is_object()) return nullptr;
  const value* found = tree.get_object().if_contains(key);
  return found != nullptr && !found->is_null() ? found : nullptr;
}

const object* find_object(const value& tree, std::string_view key) {
  const value* found = find(tree, key);
  return found != nullptr ? found->if_object() : nullptr;
}

const array* find_array(const value& tree, std::string_view key) {
  const value* found = find(tree, key);
  return found != nullptr ? found->if_array() : nullptr;
}

std::optional<std::string_view> find_string(const value& tree, std::string_view key) {
  const value* found = find(tree, key);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string_view(found->get_string());
}

std::optional<std::int64_t> find_integer(const value& tree, std::string_view key) {
  const value* found = find(tree, key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto number = found->to_number<std::int64_t>(error);
  if (error) return std::nullopt;
  return number;
}

std::optional<double> find_number(const value& tree, std::string_view key) {
  const value* found = find(tree, key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::optional<bool> find_bool(const value& tree, std::string_view key) {
  const value* found = find(tree, key);
  if (found == nullptr || !found->is_bool()) return std::nullopt;
  return found->get_bool();
}

std::string string_or(const value& tree, std::string_view key, std::string_view otherwise) {
  return std::string(find_string(tree, key).value_or(otherwise));
}

}  // namespace understudy::json
