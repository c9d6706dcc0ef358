#include "quality/json_schema.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>

namespace understudy::quality {

namespace {

constexpr std::size_t depth_max = 32;      // of schemas that refer to themselves
constexpr std::size_t steps_max = 20'000;  // schemas that one value is held against

bool is_whole(const json::value& value) {
  if (value.is_int64() || value.is_uint64()) return true;
  return value.is_double() && std::isfinite(value.get_double()) &&
         value.get_double() == std::trunc(value.get_double());
}

bool has_type(const json::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  if (type == "integer") return is_whole(value);
  return true;
}

bool fits_type(const json::value& value, const json::object& rules) {
  const json::value* type = rules.if_contains("type");
  if (type == nullptr) return true;
  if (type->is_string()) return has_type(value, type->get_string());
  if (!type->is_array()) return true;
  return std::ranges::any_of(type->get_array(), [&](const json::value& one) {
    return one.is_string() && has_type(value, one.get_string());
  });
}

bool fits_choice(const json::value& value, const json::object& rules) {
  if (const json::value* one = rules.if_contains("const"); one != nullptr && *one != value)
    return false;
  const json::value* choice = rules.if_contains("enum");
  return choice == nullptr || !choice->is_array() ||
         std::ranges::find(choice->get_array(), value) != choice->get_array().end();
}

std::optional<double> bound(const json::object& rules, std::string_view name) {
  const json::value* value = rules.if_contains(name);
  return value != nullptr && value->is_number() ? std::optional(value->to_number<double>())
                                                : std::nullopt;
}

bool within(double amount, const json::object& rules, std::string_view least,
            std::string_view most) {
  const auto low = bound(rules, least);
  const auto high = bound(rules, most);
  return (!low || amount >= *low) && (!high || amount <= *high);
}

// UTF-8, as JSON Schema counts: code points.
double length(std::string_view text) {
  return static_cast<double>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

bool fits_bounds(const json::value& value, const json::object& rules) {
  if (value.is_string()) return within(length(value.get_string()), rules, "minLength", "maxLength");
  if (value.is_array())
    return within(static_cast<double>(value.get_array().size()), rules, "minItems", "maxItems");
  if (!value.is_number()) return true;
  const double number = value.to_number<double>();
  const auto above = bound(rules, "exclusiveMinimum");
  const auto below = bound(rules, "exclusiveMaximum");
  return within(number, rules, "minimum", "maximum") && (!above || number > *above) &&
         (!below || number < *below);
}

class Validation {
 public:
  explicit Validation(const json::value& root) : root_(root) {}

  bool fits(const json::value& value, const json::value& schema, std::size_t depth) {
    if (schema.is_bool()) return schema.get_bool();
    if (!schema.is_object() || depth > depth_max || ++steps_ > steps_max) return true;
    const json::object& rules = schema.get_object();
    if (const json::value* reference = rules.if_contains("$ref")) {
      const json::value* target = resolve(*reference);
      return target == nullptr || fits(value, *target, depth + 1);
    }
    return fits_type(value, rules) && fits_choice(value, rules) && fits_bounds(value, rules) &&
           fits_combination(value, rules, depth) && fits_object(value, rules, depth) &&
           fits_array(value, rules, depth);
  }

 private:
  [[nodiscard]] const json::value* resolve(const json::value& reference) const {
    if (!reference.is_string() || !reference.get_string().starts_with('#')) return nullptr;
    boost::system::error_code error;
    return root_.find_pointer(std::string_view(reference.get_string()).substr(1), error);
  }

  bool fits_combination(const json::value& value, const json::object& rules, std::size_t depth) {
    const auto fits_one = [&](const json::value& schema) { return fits(value, schema, depth + 1); };
    for (const char* any : {"anyOf", "oneOf"}) {
      const json::value* schemas = rules.if_contains(any);
      if (schemas != nullptr && schemas->is_array() &&
          std::ranges::none_of(schemas->get_array(), fits_one))
        return false;
    }
    const json::value* all = rules.if_contains("allOf");
    return all == nullptr || !all->is_array() || std::ranges::all_of(all->get_array(), fits_one);
  }

  bool fits_object(const json::value& value, const json::object& rules, std::size_t depth) {
    if (!value.is_object()) return true;
    const json::object& members = value.get_object();
    if (const json::value* required = rules.if_contains("required");
        required != nullptr && required->is_array()) {
      for (const json::value& name : required->get_array()) {
        if (name.is_string() && !members.contains(name.get_string())) return false;
      }
    }
    const json::value* properties = rules.if_contains("properties");
    const json::value* others = rules.if_contains("additionalProperties");
    if (rules.contains("patternProperties")) others = nullptr;  // whose names are not looked at
    for (const auto& member : members) {
      const json::value* schema = properties != nullptr && properties->is_object()
                                      ? properties->get_object().if_contains(member.key())
                                      : nullptr;
      if (schema == nullptr) schema = others;
      if (schema != nullptr && !fits(member.value(), *schema, depth + 1)) return false;
    }
    return true;
  }

  bool fits_array(const json::value& value, const json::object& rules, std::size_t depth) {
    const json::value* items = rules.if_contains("items");
    if (!value.is_array() || items == nullptr || rules.contains("prefixItems")) return true;
    return std::ranges::all_of(
        value.get_array(), [&](const json::value& item) { return fits(item, *items, depth + 1); });
  }

  const json::value& root_;
  std::size_t steps_ = 0;
};

}  // namespace

bool fits_schema(const json::value& instance, const json::value& schema) {
  return Validation(schema).fits(instance, schema, 0);
}

}  // namespace understudy::quality
