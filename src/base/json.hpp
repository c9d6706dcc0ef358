// The one JSON tree of the code base (Boost.JSON), and the few things everybody does with it.
// Parsing never throws: an error is a Result whose message says where in the text it stopped.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy {

namespace json {

using boost::json::array;
using boost::json::kind;
using boost::json::object;
using boost::json::value;

Result<value> parse(std::string_view text);  // depth and duplicate keys as Boost.JSON has them
std::string to_text(const value& tree);      // compact, keys in their stored order
std::string to_canonical(
    const value& tree);  // compact, keys sorted, 1.0 written as 1: equal trees, equal text

// Look-ups that answer "absent" for a missing key, null, or another type.
const value* find(const value& tree, std::string_view key);
const object* find_object(const value& tree, std::string_view key);
const array* find_array(const value& tree, std::string_view key);
std::optional<std::string_view> find_string(const value& tree, std::string_view key);
std::optional<std::int64_t> find_integer(const value& tree, std::string_view key);
std::optional<double> find_number(const value& tree, std::string_view key);
std::optional<bool> find_bool(const value& tree, std::string_view key);
std::string string_or(const value& tree, std::string_view key, std::string_view otherwise = {});

}  // namespace json

}  // namespace understudy
