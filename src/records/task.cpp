#include "records/task.hpp"

namespace understudy {

namespace {

json::array to_array(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

}  // namespace

std::vector<std::string> json_strings(const json::value& tree, std::string_view key) {
  std::vector<std::string> texts;
  if (const json::array* items = json::find_array(tree, key)) {
    for (const json::value& item : *items) {
      if (item.is_string()) texts.emplace_back(item.get_string());
    }
  }
  return texts;
}

json::value to_json(const StructureKey& key) {
  return json::object{
      {"skeleton", key.skeleton}, {"tools", key.tools}, {"response_form", key.response_form}};
}

StructureKey structure_key_from_json(const json::value& tree) {
  return {.skeleton = json::string_or(tree, "skeleton"),
          .tools = json::string_or(tree, "tools"),
          .response_form = json::string_or(tree, "response_form")};
}

json::value to_json(const Task& task) {
  const TaskStatistics& s = task.statistics;
  return json::object{
      {"id", task.id.value},
      {"name", task.name},
      {"key", to_json(task.key)},
      {"template", to_json(task.prompt_template)},
      {"template_text", task.prompt_template.to_text()},
      {"separable", task.separable},
      {"answer_form", to_string(task.answer_form)},
      {"answer_set", to_array(task.answer_set)},
      {"tool_names", to_array(task.tool_names)},
      {"statistics", json::object{{"calls", s.calls},
                                  {"sessions", s.sessions},
                                  {"prompt_tokens", s.prompt_tokens},
                                  {"completion_tokens", s.completion_tokens},
                                  {"share_of_calls", s.share_of_calls},
                                  {"share_of_tokens", s.share_of_tokens},
                                  {"answer_entropy_bits", s.answer_entropy_bits},
                                  {"distinct_answers", s.distinct_answers},
                                  {"latency_ms_median", s.latency_ms_median},
                                  {"slot_bytes_p99", s.slot_bytes_p99},
                                  {"answer_bytes_p99", s.answer_bytes_p99}}},
      {"replaceability", json::object{{"estimate", task.replaceability.estimate},
                                      {"reason", task.replaceability.reason}}},
  };
}

Result<Task> task_from_json(const json::value& tree) {
  Task task;
  task.id = {json::string_or(tree, "id")};
  if (task.id.empty()) return fail(ErrorCode::corrupt, "a stored task without an id");
  task.name = json::string_or(tree, "name");
  if (const json::value* key = json::find(tree, "key")) task.key = structure_key_from_json(*key);
  if (const json::value* stored = json::find(tree, "template")) {
    task.prompt_template = TRY(prompt_template_from_json(*stored));
  }
  task.separable = json::find_bool(tree, "separable").value_or(false);
  task.answer_form = TRY(parse_answer_form(json::string_or(tree, "answer_form")));
  task.answer_set = json_strings(tree, "answer_set");
  task.tool_names = json_strings(tree, "tool_names");
  if (const json::value* s = json::find(tree, "statistics")) {
    const auto integer = [s](std::string_view name) {
      return json::find_integer(*s, name).value_or(0);
    };
    const auto number = [s](std::string_view name) {
      return json::find_number(*s, name).value_or(0);
    };
    task.statistics = {.calls = integer("calls"),
                       .sessions = integer("sessions"),
                       .prompt_tokens = integer("prompt_tokens"),
                       .completion_tokens = integer("completion_tokens"),
                       .share_of_calls = number("share_of_calls"),
                       .share_of_tokens = number("share_of_tokens"),
                       .answer_entropy_bits = number("answer_entropy_bits"),
                       .distinct_answers = integer("distinct_answers"),
                       .latency_ms_median = number("latency_ms_median"),
                       .slot_bytes_p99 = integer("slot_bytes_p99"),
                       .answer_bytes_p99 = integer("answer_bytes_p99")};
  }
  if (const json::value* estimate = json::find(tree, "replaceability")) {
    task.replaceability = {.estimate = json::find_number(*estimate, "estimate").value_or(0),
                           .reason = json::string_or(*estimate, "reason")};
  }
  return task;
}

}  // namespace understudy
