#include "quality/json_match.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

namespace understudy::quality {

namespace {

bool has_type(const json::value* schema, std::string_view wanted) {
  if (schema == nullptr) return false;
  if (json::find_string(*schema, "type") == wanted) return true;
  const json::array* types = json::find_array(*schema, "type");
  return types != nullptr && std::ranges::any_of(*types, [wanted](const json::value& type) {
           return type.is_string() && std::string_view(type.get_string()) == wanted;
         });
}

bool is_numeric(const json::value* schema) {
  return has_type(schema, "number") || has_type(schema, "integer");
}

// A number, also one in quotes where the schema says that it is a number.
std::optional<double> number_in(const json::value& value, const json::value* schema) {
  if (value.is_number()) return value.to_number<double>();
  if (!value.is_string() || !is_numeric(schema)) return std::nullopt;
  const std::string_view text = value.get_string();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool same_number(double left, double right) {
  return std::abs(left - right) <= number_tolerance * std::max(std::abs(left), std::abs(right));
}

const json::value* child(const json::value* schema, std::string_view key) {
  return schema == nullptr ? nullptr : json::find(*schema, key);
}

// What stands for a property that is left out: its default, or null where it need not be there.
bool stands_for_nothing(const json::value& value, const json::value* schema, bool required) {
  const json::value* otherwise = child(schema, "default");
  if (otherwise != nullptr && same_json(value, *otherwise, schema)) return true;
  return value.is_null() && !required;
}

bool is_required(const json::value* schema, std::string_view key) {
  const json::array* names = schema == nullptr ? nullptr : json::find_array(*schema, "required");
  return names != nullptr && std::ranges::any_of(*names, [key](const json::value& name) {
           return name.is_string() && std::string_view(name.get_string()) == key;
         });
}

bool same_objects(const json::object& left, const json::object& right, const json::value* schema) {
  const json::value* properties = child(schema, "properties");
  const auto one_side = [&](const json::object& here, const json::object& there, bool compare) {
    return std::ranges::all_of(here, [&](const auto& member) {
      const json::value* of_member = child(properties, member.key());
      const auto other = there.find(member.key());
      if (other != there.end())
        return !compare || same_json(member.value(), other->value(), of_member);
      return stands_for_nothing(member.value(), of_member, is_required(schema, member.key()));
    });
  };
  return one_side(left, right, true) && one_side(right, left, false);
}

bool same_sets(const json::array& left, const json::array& right, const json::value* items) {
  std::vector<bool> taken(right.size(), false);
  return std::ranges::all_of(left, [&](const json::value& value) {
    for (std::size_t i = 0; i < right.size(); ++i) {
      if (taken[i] || !same_json(value, right[i], items)) continue;
      taken[i] = true;
      return true;
    }
    return false;
  });
}

bool same_arrays(const json::array& left, const json::array& right, const json::value* schema) {
  if (left.size() != right.size()) return false;
  const json::value* items = child(schema, "items");
  const json::value* unique = child(schema, "uniqueItems");
  if (unique != nullptr && unique->is_bool() && unique->get_bool())
    return same_sets(left, right, items);
  return std::ranges::equal(left, right, [items](const json::value& a, const json::value& b) {
    return same_json(a, b, items);
  });
}

}  // namespace

bool same_json(const json::value& left, const json::value& right, const json::value* schema) {
  const auto a = number_in(left, schema);
  const auto b = number_in(right, schema);
  if (a && b) return same_number(*a, *b);
  if (left.is_object() && right.is_object())
    return same_objects(left.get_object(), right.get_object(), schema);
  if (left.is_array() && right.is_array())
    return same_arrays(left.get_array(), right.get_array(), schema);
  return left == right;
}

}  // namespace understudy::quality
