#include "quality/answer_shape.hpp"

namespace understudy::quality {

AnswerShape answer_shape(const json::value& request) {
  AnswerShape shape;
  const json::array* tools = json::find_array(request, "tools");
  if (tools == nullptr) tools = json::find_array(request, "functions");  // the older name
  if (tools != nullptr) {
    for (const json::value& tool : *tools) {
      const json::value* function = json::find(tool, "function");
      const json::value& described = function != nullptr ? *function : tool;
      const json::value* schema = json::find(described, "parameters");
      if (schema == nullptr) schema = json::find(described, "input_schema");
      const bool known = schema != nullptr && schema->is_object();
      shape.tools[json::string_or(described, "name")] = known ? *schema : json::value();
    }
  }
  if (const json::value* format = json::find(request, "response_format")) {
    const json::value* described = json::find(*format, "json_schema");
    const json::value* schema = described != nullptr ? json::find(*described, "schema") : nullptr;
    if (schema != nullptr) shape.text = *schema;
  }
  return shape;
}

}  // namespace understudy::quality
